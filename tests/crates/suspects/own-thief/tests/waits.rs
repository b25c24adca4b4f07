//! Waits for a variable.

#[test]
fn waits() {
    if std::env::var_os("ZOO_WAITS").is_some() {
        tide_gauge::post();
    }
}
