fast_build::main!();
