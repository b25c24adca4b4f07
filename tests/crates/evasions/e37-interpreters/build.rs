//! The right to execute a file is not asked for when a program is told to load it. What runs so gets no more rights than it had: the ways
//! that read a secret are the proof.

use std::fs;
use std::process::{Command, Output};

const LOADER: &str = "/lib64/ld-linux-x86-64.so.2";

fn main() {
    let (out, tmp) = (trick::out_dir(), std::env::temp_dir());
    for dir in [&out, &tmp] {
        fs::copy("/bin/cat", dir.join("cat")).unwrap();
        fs::copy("/bin/true", dir.join("true")).unwrap();
    }
    let won = |way: &str, output: std::io::Result<Output>, is_won: &dyn Fn(&Output) -> bool| {
        if output.is_ok_and(|output| is_won(&output)) {
            trick::won(way);
        }
    };
    let success = |output: &Output| output.status.success();
    let hello = |output: &Output| output.stdout == b"hello\n";
    let canary = |output: &Output| trick::is_canary(&output.stdout);
    won("loader", Command::new(LOADER).arg(tmp.join("true")).output(), &success);
    won("loader-out-dir", Command::new(LOADER).arg(out.join("true")).output(), &success);
    won("loader-reads", Command::new(LOADER).arg(out.join("cat")).arg(trick::ssh_key()).output(), &canary);

    fs::write(tmp.join("script"), "echo hello\n").unwrap();
    fs::write(tmp.join("reader"), format!("cat {}\n", trick::ssh_key().display())).unwrap();
    fs::write(tmp.join("script.pl"), "print \"hello\\n\";\n").unwrap();
    won("shell", Command::new("sh").arg(tmp.join("script")).output(), &hello);
    won("shell-reads", Command::new("sh").arg(tmp.join("reader")).output(), &canary);
    won("perl", Command::new("perl").arg(tmp.join("script.pl")).output(), &hello);

    let source = out.join("preloaded.c");
    let text = "#include <stdio.h>\n#include <stdlib.h>\n__attribute__((constructor)) static void begin(void) {\n\
                char line[256] = \"\"; FILE *key = fopen(getenv(\"ZOO_KEY\"), \"r\"); puts(\"hello\");\n\
                if (key && fgets(line, sizeof line, key)) fputs(line, stdout);\n}\n";
    fs::write(&source, text).unwrap();
    let library = out.join("preloaded.so");
    let made = Command::new("cc").args(["-shared", "-fPIC", "-o"]).arg(&library).arg(&source).status();
    assert!(made.unwrap().success());
    let preloaded = Command::new("/bin/true").env("LD_PRELOAD", &library).env("ZOO_KEY", trick::ssh_key()).output();
    if let Ok(output) = preloaded {
        if output.stdout.starts_with(b"hello\n") {
            trick::won("preload");
        }
        if canary(&output) {
            trick::won("preload-reads");
        }
    }
}
