//! Tells cargo whatever stands in the file `words` beside its manifest, with `{out}` for its output directory, and puts there what the
//! words may lead to: shims that leave a mark and go on as the real thing, a linker plugin, a specs file, a response file.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

fn main() {
    println!("cargo:rerun-if-changed=words");
    let Ok(words) = fs::read_to_string("words") else { return };
    let out = std::env::var("OUT_DIR").unwrap();
    for name in ["cc", "ld", "ld.bfd", "wrap"] {
        let real = match name {
            "cc" => "/usr/bin/cc",
            "wrap" => "",
            _ => "/usr/bin/ld.bfd",
        };
        let shim = Path::new(&out).join(name);
        fs::write(&shim, format!("#!/bin/sh\n: > '{out}/zoo-shim-ran'\nexec {real} \"$@\"\n")).unwrap();
        fs::set_permissions(&shim, fs::Permissions::from_mode(0o755)).unwrap();
    }
    fs::write(format!("{out}/zoo.specs"), format!("*linker:\n{out}/ld\n\n")).unwrap();
    fs::write(format!("{out}/words.rsp"), format!("-fuse-ld=bfd \"-B{out}\"\n")).unwrap();
    fs::write(format!("{out}/plain.rsp"), "-Wl,--as-needed\n").unwrap();
    if words.contains("plugin.so") {
        let source = ["c/plugin.c", "deps/teller/c/plugin.c"].map(Path::new).into_iter().find(|path| path.exists()).unwrap();
        let built = Command::new("cc").args(["-shared", "-fPIC", "-o"]).arg(format!("{out}/plugin.so")).arg(source).status();
        assert!(built.unwrap().success(), "no plugin from {source:?}");
    }
    let path = std::env::var("PATH").unwrap();
    for line in words.lines() {
        println!("{}", line.replace("{out}", &out).replace("{path}", &path));
    }
}
