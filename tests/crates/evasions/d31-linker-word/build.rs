//! Two programs of its own making, each named in a word of another option.

fn main() {
    println!("cargo:rerun-if-changed=nowhere");
    let out = std::env::var("OUT_DIR").unwrap();
    for way in ["search", "cfg"] {
        std::fs::copy("/usr/bin/id", format!("{out}/{way}")).unwrap();
    }
    println!("cargo::rustc-link-search=linker={out}/search");
    println!("cargo::rustc-check-cfg=cfg(linker, values(any()))\ncargo::rustc-cfg=linker=\"{out}/cfg\"");
}
