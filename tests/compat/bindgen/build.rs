//! Bindings as everybody makes them, rustfmt included.

fn main() {
    let out = std::path::PathBuf::from(std::env::var_os("OUT_DIR").unwrap());
    let builder = bindgen::Builder::default().header("wrapper.h").parse_callbacks(Box::new(bindgen::CargoCallbacks::new()));
    builder.generate().unwrap().write_to_file(out.join("bindings.rs")).unwrap();
}
