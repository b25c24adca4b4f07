//! A test of the user's own that wants its `.env`, and a variable.

#[test]
fn reads() {
    println!("zoo: test reads {:?}", std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/.env")).ok());
    println!("zoo: test knows {:?}", std::env::var("DATABASE_URL").ok());
}
