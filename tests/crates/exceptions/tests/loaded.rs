//! A `.env` that others read on behalf of a test, and the test itself does.

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/.env");

#[test]
fn loads() {
    println!("zoo: {} {}", alpha::load(FILE).is_some(), beta::load(FILE).is_some());
    println!("zoo: test loads {:?}", std::fs::read_to_string(FILE).ok());
    println!("zoo: test knows {:?}", std::env::var("DATABASE_URL").ok());
}
