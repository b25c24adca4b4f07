//! The time as a time server tells it (RFC 5905), moved where the trial's clock is. In: a request. Out: the answer; nothing where it is none.

use super::date;

/// From 1900 to 1970, in seconds.
const EPOCHS: i64 = 2_208_988_800;
const LENGTH: usize = 48;
/// In the first byte: a client asks, a server answers.
const CLIENT: u8 = 3;
const SERVER: u8 = 4;

/// `shift`: so many seconds is the trial's clock ahead.
pub fn answer(request: &[u8], shift: i64) -> Option<Vec<u8>> {
    let first = *request.first().filter(|first| request.len() >= LENGTH && *first & 7 == CLIENT)?;
    let now = date::now();
    let seconds = ((now / 1000) as i64 + shift + EPOCHS) as u32;
    let fraction = (((now % 1000) << 32) / 1000) as u32;
    let stamp = [seconds.to_be_bytes(), fraction.to_be_bytes()].concat();
    // The version that was asked with; stratum 2, poll as asked, precision 2^-20 s; delays of milliseconds; the clock above, by its address.
    let mut out = vec![first & 0x38 | SERVER, 2, request[2], 0xec, 0, 0, 2, 0, 0, 0, 3, 0, 192, 53, 103, 108];
    // When it was set, when it was asked (by the client's own word), when that came, and when the answer left.
    out.extend([&stamp[..], &request[40..48], &stamp, &stamp].concat());
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_trials_time_is_told() {
        let mut request = [0; LENGTH];
        request[0] = 0x23;
        request[40..48].copy_from_slice(b"sent-at!");
        let told = answer(&request, 86_400).unwrap();
        assert_eq!((told.len(), told[0], &told[24..32]), (LENGTH, 0x24, &b"sent-at!"[..]));
        let seconds = i64::from(u32::from_be_bytes(told[40..44].try_into().unwrap())) - EPOCHS;
        assert!((seconds - (date::now() / 1000) as i64 - 86_400).abs() <= 2);
        assert_eq!((answer(&request[..47], 0), answer(&[0x24; LENGTH], 0)), (None, None));
    }
}
