//! Calendar days in UTC, for exceptions that expire. In: a date of TOML, or a time since the epoch. Out: a day's number.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::model::moment;

/// Days since 1970-01-01.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Day(i64);

impl Day {
    /// `None` for a date no calendar has.
    pub fn of(year: i64, month: i64, day: i64) -> Option<Day> {
        let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        let length = match month {
            2 => 28 + i64::from(leap),
            4 | 6 | 9 | 11 => 30,
            1..=12 => 31,
            _ => return None,
        };
        if !(1..=length).contains(&day) {
            return None;
        }
        Some(Day(moment::days(year, month, day)))
    }

    /// A clock before 1970 says the first day: nothing has expired then, and nothing else works either.
    pub fn today() -> Day {
        let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        Day((seconds / 86_400) as i64)
    }

    /// Since 1970-01-01.
    pub fn number(self) -> i64 {
        self.0
    }

    pub fn after(self, days: u64) -> Day {
        Day(self.0 + days as i64)
    }

    /// `2027-02-01`; the other way round of [`Day::of`].
    pub fn text(self) -> String {
        let (year, month, day) = moment::civil(self.0);
        format!("{year:04}-{month:02}-{day:02}")
    }

    /// Days from `today` through this one, both counted; 0 when it is over.
    pub fn left(self, today: Day) -> u64 {
        (self.0 - today.0 + 1).max(0) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_counted_as_calendars_do() {
        for (date, number) in [
            ((1970, 1, 1), Some(0)),
            ((1969, 12, 31), Some(-1)),
            ((2000, 2, 29), Some(11_016)),
            ((2024, 12, 31), Some(20_088)),
            ((2100, 3, 1), Some(47_541)),
            ((2100, 2, 29), None),
            ((2026, 4, 31), None),
            ((2026, 13, 1), None),
            ((2026, 1, 0), None),
        ] {
            assert_eq!(Day::of(date.0, date.1, date.2).map(|day| day.0), number, "{date:?}");
        }
        for (date, text) in [((2024, 2, 29), "2024-02-29"), ((1970, 1, 1), "1970-01-01"), ((2026, 12, 31), "2026-12-31")] {
            assert_eq!(Day::of(date.0, date.1, date.2).unwrap().text(), text);
        }
        assert_eq!(Day::of(2023, 3, 1).unwrap().after(365).text(), "2024-02-29");
        let (eve, day, morrow) = (Day(9), Day(10), Day(11));
        assert_eq!((day.left(eve), day.left(day), day.left(morrow)), (2, 1, 0));
    }
}
