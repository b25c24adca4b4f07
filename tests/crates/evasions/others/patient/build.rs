//! Takes its time, so that others run beside it, and keeps a secret in its memory meanwhile.

use std::time::Duration;

fn main() {
    let secret = [trick::CANARY, b"-kept"].concat();
    trick::near::meet("e47-siblings", Duration::from_secs(10));
    std::thread::sleep(Duration::from_secs(3));
    assert!(trick::is_canary(std::hint::black_box(&secret)));
}
