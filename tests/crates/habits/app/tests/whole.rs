//! Runs the program of the package, in a directory of its own.

#[test]
fn runs() {
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_app")).current_dir(env!("CARGO_TARGET_TMPDIR")).output().unwrap();
    assert_eq!(output.stdout, (app::line() + "\n").into_bytes());
}
