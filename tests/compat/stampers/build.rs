//! Every stamp there is.

use vergen_gitcl::{Emitter, GitclBuilder};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    built::write_built_file()?;
    shadow_rs::ShadowBuilder::builder().build()?;
    let git = GitclBuilder::default().all().describe(true, true, None).build()?;
    Emitter::default().add_instructions(&git)?.emit()?;
    let emitter = &mut vergen::Emitter::default();
    emitter.add_instructions(&vergen::BuildBuilder::all_build()?)?;
    emitter.add_instructions(&vergen::CargoBuilder::all_cargo()?)?;
    emitter.add_instructions(&vergen::RustcBuilder::all_rustc()?)?;
    emitter.add_instructions(&vergen::SysinfoBuilder::all_sysinfo()?)?.emit()?;
    println!("cargo:rustc-env=ASKED={}", rustc_version::version()?);
    println!("cargo:rustc-env=CHECKED={}", version_check::is_min_version("1.70").unwrap_or_default());
    let probe = autocfg::new();
    probe.emit_expression_cfg("core::mem::size_of::<u8>()", "has_size_of");
    Ok(())
}
