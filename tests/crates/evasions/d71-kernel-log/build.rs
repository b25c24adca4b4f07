//! Its size, and its end: only root, where `kernel.dmesg_restrict` says so.

use trick::sys::call;

const SYSLOG: i64 = 103;
const READ_ALL: i64 = 3;
const SIZE_BUFFER: i64 = 10;

fn main() {
    if call(SYSLOG, &[SIZE_BUFFER, 0, 0]).is_ok_and(|size| size > 0) {
        trick::won("size");
    }
    let mut end = [0_u8; 256];
    if call(SYSLOG, &[READ_ALL, end.as_mut_ptr() as i64, 256]).is_ok_and(|length| length > 0) {
        trick::won("read");
    }
}
