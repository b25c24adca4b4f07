//! Runs the program of the package, and leaves something in the directory that cargo gives tests.

#[test]
fn it_answers() {
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_app")).output().unwrap();
    assert_eq!(output.stdout, b"42\n");
    std::fs::write(concat!(env!("CARGO_TARGET_TMPDIR"), "/left-by-a-test"), output.stdout).unwrap();
}
