//! Bit 30 of a number makes it an x32 call, under the mark of the native ABI.

use trick::sys::{AT_FDCWD, call, nr, opens_canary, ptr};

const X32: i64 = 0x4000_0000;

fn main() {
    let key = trick::c(trick::ssh_key());
    let opened = [(X32 | nr::OPEN, [ptr(&key), 0, 0]), (X32 | nr::OPENAT, [AT_FDCWD, ptr(&key), 0])];
    if opened.into_iter().any(|(number, args)| opens_canary(call(number, &args))) {
        trick::won("open");
    }
}
