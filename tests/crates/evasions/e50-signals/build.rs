//! Signal 0, which only asks whether one may: to cargo, and to a process outside the build.

use trick::sys::call;

const KILL: i64 = 62;

fn main() {
    if call(KILL, &[i64::from(std::os::unix::process::parent_id()), 0]).is_ok() {
        trick::won("parent-exists");
    }
    let worker: i64 = std::env::var("ZOO_WORKER").unwrap().parse().unwrap();
    if call(KILL, &[worker, 0]).is_ok() {
        trick::won("stranger-exists");
    }
}
