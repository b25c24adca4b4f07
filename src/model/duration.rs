//! Spans of time as people write them: `90s`, `10m`, `1h30m`. In: text. Out: a `Duration`, or a fragment that says what is wrong.

use std::time::Duration;

const UNITS: [(&str, u64); 5] = [("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000)];
/// A year: what is longer is a mistake, and sums of such spans cannot overflow.
const LONGEST: u64 = 366 * 86_400_000;

/// Reads one or more numbers with a unit each, the units descending as anybody writes them or not.
///
/// # Errors
/// With a lowercase fragment; a number without a unit is none (is `90` seconds, or minutes?).
pub fn parse(text: &str) -> Result<Duration, String> {
    let mut total: u64 = 0;
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let letters = rest[digits..].bytes().take_while(u8::is_ascii_lowercase).count();
        let (number, unit) = (&rest[..digits], &rest[digits..digits + letters]);
        let number: u64 = number.parse().map_err(|_| shape(text))?;
        if unit.is_empty() {
            return Err(format!("`{}` needs a unit, for example `{number}s` or `{number}m`", text.escape_debug()));
        }
        let (_, factor) = UNITS.iter().find(|(known, _)| *known == unit).ok_or_else(|| shape(text))?;
        total = number.checked_mul(*factor).and_then(|part| total.checked_add(part)).filter(|sum| *sum <= LONGEST).ok_or_else(too_long)?;
        rest = &rest[digits + letters..];
    }
    if total == 0 {
        return Err(format!("`{}` is no time at all", text.escape_debug()));
    }
    Ok(Duration::from_millis(total))
}

fn shape(text: &str) -> String {
    format!("`{}` is not a span of time like `90s`, `10m` or `1h30m`", text.escape_debug())
}

fn too_long() -> String {
    "more than a year".to_owned()
}

/// The same back: `1h30m`, `2.5s`.
pub fn text(span: Duration) -> String {
    let millis = u64::try_from(span.as_millis()).unwrap_or(u64::MAX);
    if millis < 60_000 && !millis.is_multiple_of(1_000) {
        return format!("{}.{}s", millis / 1_000, millis % 1_000 / 100);
    }
    let mut rest = millis / 1_000;
    let mut text = String::new();
    for (unit, seconds) in [("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1)] {
        if rest >= seconds {
            text.push_str(&format!("{}{unit}", rest / seconds));
            rest %= seconds;
        }
    }
    if text.is_empty() { "0s".to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_there_and_back() {
        for (written, millis, again) in [
            ("90s", 90_000, "1m30s"),
            ("10m", 600_000, "10m"),
            ("1h30m", 5_400_000, "1h30m"),
            ("2500ms", 2_500, "2.5s"),
            ("1d", 86_400_000, "1d"),
        ] {
            let span = parse(written).unwrap();
            assert_eq!((span, text(span).as_str()), (Duration::from_millis(millis), again), "{written}");
        }
        assert_eq!(text(Duration::ZERO), "0s");
    }

    #[test]
    fn what_is_not_one_is_explained() {
        for (written, part) in [
            ("", "no time at all"),
            ("0s", "no time at all"),
            ("90", "needs a unit, for example `90s`"),
            ("1h30", "needs a unit"),
            ("soon", "not a span of time"),
            ("-5s", "not a span of time"),
            ("1.5h", "needs a unit"),
            ("5 s", "needs a unit"),
            ("5S", "needs a unit"),
            ("5y", "not a span of time"),
            ("5sé", "not a span of time"),
            ("99999999999999999999s", "not a span of time"),
            ("18446744073709551615d", "more than a year"),
            ("400d", "more than a year"),
        ] {
            let error = parse(written).expect_err(written);
            assert!(error.contains(part), "{written:?}: {error}");
        }
    }
}
