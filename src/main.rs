//! Entry: five sentences, and the one place where errors are rendered.

fn main() {
    if std::env::args_os().nth(1).is_some_and(|argument| argument == cargo_brig::gate::net::BROKER_ARGUMENT) {
        cargo_brig::gate::net::broker_main();
    }
}
