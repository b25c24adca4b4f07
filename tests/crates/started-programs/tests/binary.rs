#[test]
fn starts_the_program() {
    assert!(std::process::Command::new(env!("CARGO_BIN_EXE_started-programs")).status().unwrap().success());
}
