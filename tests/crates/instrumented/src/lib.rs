//! ```
//! assert_eq!(instrumented::choose(4), 1);
//! ```
quiet_macro::nothing!();

pub fn choose(number: u8) -> u8 {
    if number > 3 { 1 } else { 2 }
}

#[test]
fn chooses() {
    assert_eq!((choose(4), choose(1)), (1, 2));
}
