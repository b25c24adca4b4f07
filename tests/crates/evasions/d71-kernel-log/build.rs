//! Its size, and its end: only root, where `kernel.dmesg_restrict` says so.

use trick::sys::call;

const SYSLOG: i64 = 103;
const READ_ALL: i64 = 3;
const SIZE_BUFFER: i64 = 10;

fn main() {
    if call(SYSLOG, &[SIZE_BUFFER, 0, 0]).is_ok_and(|size| size > 0) {
        trick::won("size");
    }
    // A single record may be longer than a page.
    let mut end = [0_u8; 1 << 16];
    if call(SYSLOG, &[READ_ALL, end.as_mut_ptr() as i64, end.len() as i64]).is_ok_and(|length| length > 0) {
        trick::won("read");
    }
}
