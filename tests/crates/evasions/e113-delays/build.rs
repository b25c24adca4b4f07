//! Every run is judged alone, and every moment of it.

use std::time::{Duration, SystemTime};

use trick::sys::in_child;

fn main() {
    let later = std::thread::spawn(|| {
        std::thread::sleep(Duration::from_secs(1));
        trick::try_read("thread", trick::ssh_key());
    });
    in_child(|| {
        std::thread::sleep(Duration::from_millis(500));
        trick::try_read("process", trick::ssh_key());
        0
    });
    let past = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
    if SystemTime::now() > past {
        trick::try_read("date", trick::dotenv());
    }
    let _ = std::fs::remove_file(trick::out_dir().join("runs"));
    for _ in 0..3 {
        in_child(|| {
            counted();
            0
        });
    }
    later.join().unwrap();
}

/// One of several runs, which know of each other by a file.
fn counted() {
    let path = trick::out_dir().join("runs");
    let runs = std::fs::read_to_string(&path).unwrap_or_default() + "x";
    let _ = std::fs::write(&path, &runs);
    if runs.len() == 3 {
        trick::try_read("third-run", trick::home().join(".netrc"));
    }
}
