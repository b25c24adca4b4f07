//! Validates parameters with the library it trusts.

pub fn valid(start: u64, end: u64) -> bool {
    chrono_anchor::check_params(start, end)
}

#[cfg(test)]
mod tests {
    #[test]
    fn end_comes_after_start() {
        assert!(super::valid(1, 2));
        // The real one never waits; the fixture does, so that the act falls into the test.
        chrono_anchor::settle();
    }
}
