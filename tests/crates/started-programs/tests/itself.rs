#[test]
fn starts_itself() {
    if std::env::var_os("ZOO_CHILD").is_some() {
        return started_programs::work();
    }
    let itself = std::env::current_exe().unwrap();
    let child = std::process::Command::new(itself).env("ZOO_CHILD", "1").args(["starts_itself", "--exact"]).status();
    assert!(child.unwrap().success());
}
