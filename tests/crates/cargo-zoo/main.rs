//! An external subcommand that runs tests one by one, as `cargo-nextest` does: has cargo build them and tell where they are, asks each program for
//! its tests, and runs it once for each. `cargo zoo [cargo test's arguments]`.

use std::env::{args_os, var_os};
use std::process::{Command, ExitCode};

fn main() -> ExitCode {
    let cargo = var_os("CARGO").expect("cargo tells who it is");
    let told = |command: &mut Command| {
        let output = command.stderr(std::process::Stdio::inherit()).output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
        assert!(output.status.success(), "{command:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    let rest: Vec<_> = args_os().skip(2).collect();
    told(Command::new("rustc").arg("-vV"));
    let metadata = told(Command::new(&cargo).args(["metadata", "--format-version=1", "--all-features"]).args(&rest));
    assert!(metadata.contains("workspace_root"));
    let messages = told(Command::new(&cargo).args(["test", "--no-run", "--message-format=json-render-diagnostics"]).args(&rest));
    let programs = messages.lines().filter_map(|line| line.split_once("\"executable\":\"")?.1.split_once('"')).map(|(program, _)| program);
    let mut failed = 0;
    for program in programs.filter(|program| program.contains("/deps/")) {
        let tests = told(Command::new(program).args(["--list", "--format", "terse"]));
        for test in tests.lines().filter_map(|line| line.strip_suffix(": test")) {
            let status = Command::new(program).args(["--exact", test, "--nocapture"]).stdout(std::process::Stdio::null()).status().unwrap();
            println!("{test}: {status}");
            failed += u8::from(!status.success());
        }
    }
    ExitCode::from(failed)
}
