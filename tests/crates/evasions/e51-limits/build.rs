//! Everything is set to what it is: the right to set it is the proof.

use trick::near::parent;
use trick::sys::call;

const PRLIMIT: i64 = 302;
const NOFILE: i64 = 7;

fn main() {
    let mut words = [0_u64; 128];
    let at = words.as_mut_ptr() as i64;
    let won = |way: &str, result: Result<i64, i32>| {
        if result.is_ok() {
            trick::won(way);
        }
    };
    won("limits", call(PRLIMIT, &[parent(), NOFILE, 0, at]).and_then(|_| call(PRLIMIT, &[parent(), NOFILE, at, 0])));
    // getpriority gives 20 - nice.
    won("priority", call(140, &[0, parent()]).and_then(|nice| call(141, &[0, parent(), 20 - nice])));
    won("group-priority", call(140, &[1, 0]).and_then(|nice| call(141, &[1, 0, 20 - nice])));
    won("processors", call(204, &[parent(), 1024, at]).and_then(|length| call(203, &[parent(), length, at])));
    words[0] = 0;
    won("scheduler", call(144, &[parent(), 0, at]));
    words[..8].copy_from_slice(&[48, 0, 0, 0, 0, 0, 0, 0]);
    won("attributes", call(314, &[parent(), at, 0]));
    won("io-priority", call(252, &[1, parent()]).and_then(|value| call(251, &[1, parent(), value])));
}
