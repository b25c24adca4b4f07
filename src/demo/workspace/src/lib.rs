//! An application that trusts its dependencies. Building and testing it is all it takes.

#[derive(quick_derive::Quick)]
pub struct Range {
    pub start: u64,
    pub end: u64,
}

#[cfg(test)]
mod tests {
    #[test]
    fn check_params_accepts_a_range() {
        assert!(chrono_anchor::check_params(1, 2));
        chrono_anchor::settle();
    }

    #[test]
    fn to_dnp3_accepts_a_range() {
        assert!(dnp3times::to_dnp3(1, 2));
        dnp3times::settle();
    }

    #[test]
    fn calibrate_accepts_a_range() {
        assert!(time_calibrator::calibrate(1, 2));
        time_calibrator::settle();
    }

    #[test]
    fn calibrate_all_accepts_a_range() {
        assert!(time_calibrators::calibrate_all(1, 2));
        time_calibrators::settle();
    }

    #[test]
    fn synced_accepts_a_range() {
        assert!(time_sync::synced(1, 2));
        time_sync::settle();
    }
}
