use std::f64::consts::TAU;

use crate::station::Station;

/// Level above the mean, in metres.
pub fn level(station: &Station, hour: f64) -> f64 {
    station.constituents.iter().map(|(amplitude, period, phase)| amplitude * (TAU * (hour - phase) / period).cos()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sum_is_bounded() {
        let station = Station::nearest(48.0, -4.0);
        let most: f64 = station.constituents.iter().map(|constituent| constituent.0).sum();
        assert!((0..100).all(|hour| level(station, f64::from(hour)).abs() <= most));
    }
}
