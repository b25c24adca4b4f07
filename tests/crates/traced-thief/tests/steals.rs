#[test]
fn calls_a_library() {
    println!("bytes: {}", thief::convert(concat!(env!("CARGO_MANIFEST_DIR"), "/.env")));
}
