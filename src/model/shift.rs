//! How far the wall clock of a suspect is moved: code waits for a date. In: a date as people type it. Out: seconds.

use serde::{Deserialize, Serialize};

use super::moment;

const DAY: i64 = 86_400;

/// Seconds to add to the real-time clock. The other clocks stay.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shift {
    pub seconds: i64,
}

impl Shift {
    /// From `now` (seconds since the epoch) to a date, `2027-01-01`, or a time of it, `2027-01-01T08:30:00Z`.
    ///
    /// # Errors
    /// When it is no such date, or none between 1970 and 2999.
    pub fn to(text: &str, now: i64) -> Result<Shift, String> {
        let wrong = || format!("`{text}` is no date such as 2027-01-01 or 2027-01-01T08:30:00Z");
        let (date, time) = text.split_once(['T', ' ']).unwrap_or((text, "00:00:00"));
        let numbers = |text: &str, sign: char| -> Option<Vec<i64>> {
            text.split(sign).map(|part| part.bytes().all(|byte| byte.is_ascii_digit()).then(|| part.parse().ok())?).collect()
        };
        let date = numbers(date, '-').ok_or_else(wrong)?;
        let time = numbers(time.trim_end_matches('Z'), ':').ok_or_else(wrong)?;
        let ([year, month, day], [hour, minute, rest @ ..]) = (&date[..], &time[..]) else { return Err(wrong()) };
        let second = match rest {
            [] => 0,
            [second] => *second,
            _ => return Err(wrong()),
        };
        let first = moment::days(*year, *month, 1);
        let after = if *month == 12 { moment::days(year + 1, 1, 1) } else { moment::days(*year, month + 1, 1) };
        let holds = (1970..3000).contains(year) && (1..=12).contains(month) && (1..=after - first).contains(day);
        if !holds || *hour > 23 || *minute > 59 || second > 59 {
            return Err(wrong());
        }
        Ok(Shift { seconds: moment::days(*year, *month, *day) * DAY + hour * 3600 + minute * 60 + second - now })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_and_nothing_else() {
        for (text, seconds) in
            [("1970-01-01", 0), ("2027-01-01", 1_798_761_600), ("2024-02-29T12:00:01Z", 1_709_208_001), ("2026-11-29 23:59", 1_795_996_740)]
        {
            assert_eq!(Shift::to(text, 0).map(|shift| shift.seconds), Ok(seconds), "{text}");
        }
        assert_eq!(Shift::to("1970-01-02", 100), Ok(Shift { seconds: DAY - 100 }));
        for text in [
            "",
            "2027",
            "2027-13-01",
            "2027-02-29",
            "2027-01-01T24:00:00",
            "27-1-1",
            "2027-01-01T1:2:3:4",
            "-2027-01-01",
            "2027-01-+1",
            "tomorrow",
        ] {
            assert!(Shift::to(text, 0).is_err(), "{text}");
        }
    }
}
