//! Cargo shows warnings of a build script; what it reads is in them.

fn main() {
    println!("cargo:rerun-if-changed=nowhere");
    let root = std::env::var("CARGO_MANIFEST_DIR").unwrap();
    let list = std::fs::read_to_string(format!("{root}/files.txt")).unwrap();
    for file in list.lines() {
        match std::fs::read_to_string(format!("{root}/{file}")) {
            Err(error) => println!("cargo:warning={file}: {:?}", error.kind()),
            Ok(text) => println!("cargo:warning={file}: {:?}", text),
        }
    }
}
