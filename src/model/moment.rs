//! Times since the epoch as people and files spell them, in UTC.

/// Year, month and day of a number of days since 1970-01-01. After Howard Hinnant's `civil_from_days`, for the proleptic Gregorian calendar.
pub fn civil(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let (era, of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * of_year + 2) / 153;
    let (day, month) = (of_year - (153 * from_march + 2) / 5 + 1, if from_march < 10 { from_march + 3 } else { from_march - 9 });
    (era * 400 + year_of_era + i64::from(month <= 2), month, day)
}

/// Days from 1970-01-01 to a date of the calendar; the other way round of [`civil`]. After Howard Hinnant's `days_from_civil`.
pub fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = year - i64::from(month <= 2);
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// `2026-11-29 10:55 UTC`, of seconds since the epoch.
pub fn text(seconds: u64) -> String {
    let ((year, month, day), (hour, minute, _)) = parts(seconds);
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02} UTC")
}

/// `20261129-105507`: sorts as time does.
pub fn stamp(seconds: u64) -> String {
    let ((year, month, day), (hour, minute, second)) = parts(seconds);
    format!("{year:04}{month:02}{day:02}-{hour:02}{minute:02}{second:02}")
}

/// `2026-11-29T10:55:07Z`, as RFC 3339 has it.
pub fn rfc3339(seconds: u64) -> String {
    let ((year, month, day), (hour, minute, second)) = parts(seconds);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

type Three = (i64, i64, i64);

fn parts(seconds: u64) -> (Three, Three) {
    // A stored report may say any number: no calendar reaches further than this, and nothing is added up beyond it.
    const LAST: u64 = 253_402_300_799;
    let seconds = seconds.min(LAST) as i64;
    let of_day = seconds % 86_400;
    (civil(seconds / 86_400), (of_day / 3600, of_day / 60 % 60, of_day % 60))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments() {
        for (seconds, shown, stamped) in [
            (0, "1970-01-01 00:00 UTC", "19700101-000000"),
            (951_868_799, "2000-02-29 23:59 UTC", "20000229-235959"),
            (1_790_000_000, "2026-09-21 14:13 UTC", "20260921-141320"),
            (u64::MAX, "9999-12-31 23:59 UTC", "99991231-235959"),
        ] {
            assert_eq!((text(seconds), stamp(seconds)), (shown.to_owned(), stamped.to_owned()));
            let whole: String = rfc3339(seconds).chars().filter(char::is_ascii_digit).collect();
            assert_eq!(whole, stamped.replace('-', ""));
        }
        assert_eq!(rfc3339(1_790_000_000), "2026-09-21T14:13:20Z");
    }
}
