//! Hears it.

fn main() {
    if std::env::var("DEP_ZOO_TALKER_PATH").is_ok_and(|value| value == "/nonexistent/planted") {
        trick::won("handed-on");
    }
}
