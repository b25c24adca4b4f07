#[test]
fn a_dependency_starts_the_program() {
    assert!(thief::have_stolen(env!("CARGO_BIN_EXE_started-programs")).success());
}
