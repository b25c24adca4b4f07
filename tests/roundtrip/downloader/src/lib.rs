//! Needs what was downloaded.

#[test]
fn both_are_there() {
    assert_eq!((fetches::MODEL, curls::DATA), ("model.bin\n", "data.bin\n"));
}
