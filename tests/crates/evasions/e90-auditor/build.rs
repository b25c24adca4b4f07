//! The compiler does not survive it under plain cargo, either; the library has had its turn by then.

use std::fs;
use std::process::Command;

const LIBRARY: &str = r#"
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

unsigned int la_version(unsigned int version) {
    const char *nonce = getenv("ZOO_NONCE");
    if (nonce && !strcmp(program_invocation_short_name, "rustc"))
        dprintf(2, "won:%s:e90-auditor:audit\n", nonce);
    return version;
}
"#;

fn main() {
    let out = trick::out_dir();
    fs::write(out.join("library.c"), LIBRARY).unwrap();
    let mut cc = Command::new("cc");
    assert!(cc.args(["-shared", "-fPIC", "-o"]).arg(out.join("audit.so")).arg(out.join("library.c")).status().unwrap().success());
    println!("cargo::rustc-env=LD_AUDIT={}", out.join("audit.so").display());
}
