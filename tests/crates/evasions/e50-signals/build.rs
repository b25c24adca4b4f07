//! Only signals that are ignored unless somebody asked for them (SIGURG), and signal 0.

use trick::near::{parent, worker};
use trick::sys::call;

const SIGURG: i64 = 23;
const SI_QUEUE: i32 = -1;
const KILL: i64 = 62;
const FCNTL: i64 = 72;
const PIPE: i64 = 22;
const F_SETOWN: i64 = 8;

fn main() {
    let mut info = [0_i32; 32];
    (info[0], info[2]) = (SIGURG as i32, SI_QUEUE);
    let info = info.as_ptr() as i64;
    let handle = call(434, &[worker(), 0]).unwrap_or(-1);
    let mut ends = [0_i32; 2];
    call(PIPE, &[ends.as_mut_ptr() as i64]).unwrap();
    for (way, number, args) in [
        ("parent-exists", KILL, vec![parent(), 0]),
        ("kill-parent", KILL, vec![parent(), SIGURG]),
        ("kill-stranger", KILL, vec![worker(), SIGURG]),
        // Cargo's children are in its group.
        ("kill-group", KILL, vec![0, SIGURG]),
        ("kill-foreign-group", KILL, vec![-worker(), SIGURG]),
        ("tkill", 200, vec![worker(), SIGURG]),
        ("tgkill", 234, vec![worker(), worker(), SIGURG]),
        ("queue", 129, vec![worker(), SIGURG, info]),
        ("queue-thread", 297, vec![worker(), worker(), SIGURG, info]),
        ("descriptor", 424, vec![handle, SIGURG, 0, 0]),
        ("owner", FCNTL, vec![ends[0].into(), F_SETOWN, worker()]),
    ] {
        if call(number, &args).is_ok() {
            trick::won(way);
        }
    }
}
