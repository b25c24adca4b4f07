//! A build script makes itself at home in the compiler of its own package, in both spellings of a directive.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

const LIBRARY: &str = r#"
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void won(const char *way) {
    const char *nonce = getenv("ZOO_NONCE");
    if (nonce && !strcmp(program_invocation_short_name, "rustc"))
        dprintf(2, "won:%s:e90-loader-variables:%s\n", nonce, way);
}

__attribute__((constructor)) static void on_load(void) { won("preload"); }
"#;

fn main() {
    let out = trick::out_dir();
    fs::write(out.join("library.c"), LIBRARY).unwrap();
    let mut cc = Command::new("cc");
    assert!(cc.args(["-shared", "-fPIC", "-o"]).arg(out.join("preload.so")).arg(out.join("library.c")).status().unwrap().success());
    let shim = out.join("cc");
    let mark = trick::shell_mark("path");
    fs::write(&shim, format!("#!/bin/sh\necho {mark} >&2\nexit 1\n")).unwrap();
    fs::set_permissions(&shim, fs::Permissions::from_mode(0o755)).unwrap();
    println!("cargo:rustc-env=LD_PRELOAD={}", out.join("preload.so").display());
    println!("cargo::rustc-env=PATH={}:{}", out.display(), std::env::var("PATH").unwrap());
}
