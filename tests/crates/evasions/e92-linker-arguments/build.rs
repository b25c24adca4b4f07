//! One program for each argument. What linkers say is only shown when a link fails, so all of them make it fail.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

const PLUGIN: &str = r#"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int onload(void *tv) {
    char path[4096], line[64] = "";
    snprintf(path, sizeof path, "%s/home/.ssh/id_ed25519", getenv("ZOO_PLACE"));
    FILE *file = fopen(path, "r");
    if (file && fgets(line, sizeof line, file) && strstr(line, "CANARY-"))
        fprintf(stderr, "won:%s:e92-linker-arguments:plugin\n", getenv("ZOO_NONCE"));
    return 3;
}
"#;

fn script(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, format!("#!/bin/sh\n{text}")).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

fn main() {
    let out = trick::out_dir();
    let at = |name: &str| out.join(name).display().to_string();
    fs::write(out.join("plugin.c"), PLUGIN).unwrap();
    let mut cc = Command::new("cc");
    assert!(cc.args(["-shared", "-fPIC", "-o"]).args([at("plugin.so"), at("plugin.c")]).status().unwrap().success());
    println!("cargo::rustc-link-arg-bin=plugin=-fuse-ld=bfd");
    println!("cargo::rustc-link-arg-bin=plugin=-Wl,-plugin,{}", at("plugin.so"));

    for way in ["directory", "response"] {
        script(&out.join(way).join("ld.bfd"), &format!("echo {} >&2\nexit 1\n", trick::shell_mark(way)));
    }
    println!("cargo:rustc-link-arg-bin=directory=-fuse-ld=bfd");
    println!("cargo:rustc-link-arg-bin=directory=-B{}", at("directory"));
    fs::write(out.join("arguments"), format!("-fuse-ld=bfd -B{}\n", at("response"))).unwrap();
    println!("cargo::rustc-link-arg-bin=response=@{}", at("arguments"));

    script(&out.join("linker"), &format!("echo {} >&2\nexit 1\n", trick::shell_mark("specs")));
    fs::write(out.join("zoo.specs"), format!("*linker:\n{}\n\n", at("linker"))).unwrap();
    println!("cargo::rustc-link-arg-bin=specs=-specs={}", at("zoo.specs"));
}
