//! A way wins when the question is answered, whatever the answer: a guest who looks for walls behaves. What it does then is judged all
//! the same, and the report says that it looked.

use std::time::Instant;

use trick::sys::call;

fn main() {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    if status.contains("Seccomp:") && status.contains("TracerPid:") {
        trick::won("status");
    }
    let parent = std::os::unix::process::parent_id();
    if std::fs::read_to_string(format!("/proc/{parent}/status")).is_ok_and(|text| text.contains("Name:")) {
        trick::won("status-of-parent");
    }
    // PR_GET_SECCOMP, PR_GET_NO_NEW_PRIVS
    if call(157, &[21]).is_ok() {
        trick::won("seccomp-mode");
    }
    if call(157, &[39]).is_ok() {
        trick::won("no-new-privileges");
    }
    // landlock_create_ruleset with LANDLOCK_CREATE_RULESET_VERSION
    if call(444, &[0, 0, 1]).is_ok_and(|version| version > 0) {
        trick::won("landlock-version");
    }
    let begun = Instant::now();
    let opened = (0..100).filter(|_| std::fs::File::open("/dev/null").is_ok()).count();
    if opened == 100 && begun.elapsed().as_nanos() > 0 {
        trick::won("timing");
    }
}
