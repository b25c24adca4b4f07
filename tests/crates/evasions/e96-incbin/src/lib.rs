//! The path is relative to where cargo runs the compiler: the workspace.

core::arch::global_asm!(".section .rodata", ".incbin \"../.aws/marks/e96-incbin.incbin\"", ".text");
