//! Dates as HTTP writes them (RFC 9110 §5.6.7) and as HAR does (ISO 8601), and the clock, moved where the run's is. In: seconds. Out: text.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::model::moment;

const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// Milliseconds since 1970.
pub fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64)
}

/// Now, moved by so many seconds.
pub fn http(shift: i64) -> String {
    at(((now() / 1000) as i64 + shift).max(0) as u64)
}

fn at(seconds: u64) -> String {
    let (days, of_day) = (seconds / 86_400, seconds % 86_400);
    let (year, month, day) = moment::civil(days as i64);
    let (hour, minute, second) = (of_day / 3600, of_day / 60 % 60, of_day % 60);
    let name = DAYS[(days % 7) as usize];
    format!("{name}, {day:02} {} {year} {hour:02}:{minute:02}:{second:02} GMT", MONTHS[month as usize - 1])
}

/// Of milliseconds since 1970.
pub fn iso(ms: u64) -> String {
    let second = moment::rfc3339(ms / 1000);
    format!("{}.{:03}Z", second.trim_end_matches('Z'), ms % 1000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_as_the_calendar_has_them() {
        assert_eq!(at(784_111_777), "Sun, 06 Nov 1994 08:49:37 GMT", "the example of RFC 9110");
        assert_eq!(at(0), "Thu, 01 Jan 1970 00:00:00 GMT");
        assert_eq!(at(951_782_400), "Tue, 29 Feb 2000 00:00:00 GMT");
        assert_eq!(iso(1_798_761_599_042), "2026-12-31T23:59:59.042Z");
    }
}
