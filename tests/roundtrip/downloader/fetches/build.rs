//! Downloads a model, as `ort-sys` does.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let from = format!("http://127.0.0.1:{}/model.bin", std::env::var("SERVES").expect("a server"));
    let text = ureq::get(&from).call().expect("an answer").body_mut().read_to_string().expect("a text");
    std::fs::write(std::path::Path::new(&std::env::var_os("OUT_DIR").unwrap()).join("model"), text).unwrap();
}
