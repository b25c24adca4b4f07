//! As an application with a window has it, but that nothing draws one.

fn main() {
    let made = tauri_build::Attributes::new().codegen(tauri_build::CodegenContext::new());
    tauri_build::try_build(made).unwrap();
}
