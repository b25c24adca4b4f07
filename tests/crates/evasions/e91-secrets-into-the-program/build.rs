//! `cargo::rustc-env` carries it into `env!`, and so into what is shipped.

fn main() {
    for (way, name) in [("variable", "AWS_SECRET_ACCESS_KEY"), ("token", "CARGO_REGISTRY_TOKEN")] {
        if std::env::var(name).is_ok_and(|value| trick::is_canary(value.as_bytes())) {
            println!("cargo::rustc-env=ZOO_SMUGGLED_{}={}", way.to_uppercase(), trick::mark(way));
            trick::won(way);
        }
    }
}
