#[path = "src/cases.rs"]
mod cases;

fn main() {
    println!("cargo::rerun-if-env-changed=ZOO_TIME");
    println!("cargo::rerun-if-changed=src");
    if std::env::var("ZOO_WHO").is_ok_and(|who| who == "build-script") {
        cases::reach().unwrap();
    }
}
