//! Each waits until cargo is gone and then leaves its mark. Their outputs are closed: cargo waits for those.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use trick::sys::{call, detach, in_child};

const DUP2: i64 = 33;
const CLONE: i64 = 56;
const SETPGID: i64 = 109;
const SIGACTION: i64 = 13;
const CLONE_PARENT: i64 = 0x8000;
/// Longer than any build of the corpus; what is not stopped ends by itself.
const PATIENCE: Duration = Duration::from_secs(150);

fn main() {
    let cargo = std::os::unix::process::parent_id();
    let late = |way: &'static str| move || after(cargo, way);
    detach(late("double-fork"));
    detach(move || {
        // SIG_IGN for whatever can be ignored. struct sigaction of the kernel: handler, flags, restorer, mask.
        let ignore = [1u64, 0, 0, 0];
        (1..=31).for_each(|signal| drop(call(SIGACTION, &[signal, ignore.as_ptr() as i64, 0, 8])));
        after(cargo, "deaf");
    });
    in_child(|| {
        in_background(0, || {
            let _ = call(SETPGID, &[0, 0]);
            after(cargo, "own-group");
        });
        0
    });
    in_background(CLONE_PARENT, late("adopted"));
    for (way, tool) in [("nohup", "nohup"), ("setsid-tool", "setsid")] {
        let out = trick::out_dir();
        let wait = format!(
            "n=0; while [ -d /proc/{cargo} ] && [ $n -lt 1500 ]; do sleep 0.1; n=$((n+1)); done; sleep 0.3; echo $ZOO_MARK > '{}'",
            out.join(way).display()
        );
        let mut shell = Command::new(tool);
        shell.args(["sh", "-c", &wait]).env("ZOO_MARK", trick::mark(way)).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let _ = shell.spawn();
    }
}

fn after(cargo: u32, way: &str) {
    let null = std::fs::OpenOptions::new().read(true).write(true).open("/dev/null").unwrap();
    (0..3).for_each(|fd| drop(call(DUP2, &[i64::from(std::os::fd::AsRawFd::as_raw_fd(&null)), fd])));
    let begun = Instant::now();
    while Path::new(&format!("/proc/{cargo}")).exists() && begun.elapsed() < PATIENCE {
        std::thread::sleep(Duration::from_millis(100));
    }
    std::thread::sleep(Duration::from_millis(300));
    let _ = std::fs::write(trick::out_dir().join(way), trick::mark(way));
}

/// A child that nobody here waits for.
fn in_background(flags: i64, child: impl FnOnce()) {
    // SIGCHLD, or cargo would not know such a child.
    if call(CLONE, &[flags | 17, 0, 0, 0, 0]) == Ok(0) {
        child();
        std::process::exit(0);
    }
}
