//! Adds numbers.

include!(concat!(env!("OUT_DIR"), "/table.rs"));

/// ```
/// assert_eq!(quiet::add(1, 2), 3);
/// ```
pub fn add(a: u32, b: u32) -> u32 {
    a + b
}

#[cfg(test)]
mod tests {
    #[test]
    fn files_of_its_own_come_and_go() {
        let file = std::env::temp_dir().join("sum");
        std::fs::write(&file, super::add(2, 2).to_string()).unwrap();
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "4");
    }
}
