//! To listeners below `run` and to abstract names, by every way a unix socket has.

use trick::net::*;
use trick::sys::{call, in_child};

const SOCKETPAIR: i64 = 53;

fn main() {
    let run = trick::place().join("run");
    let (stream, datagrams) = (run.join("docker.sock"), run.join("log.sock"));
    try_stream("path", UNIX, 0, &unix(&stream));
    try_stream("abstract", UNIX, 0, &unix_abstract(&run.join("abstract")));
    let link = trick::out_dir().join("link");
    let _ = std::fs::remove_file(&link);
    let _ = std::os::unix::fs::symlink(&stream, &link);
    try_stream("symlink", UNIX, 0, &unix(&link));
    let second = trick::out_dir().join("second");
    let _ = std::fs::remove_file(&second);
    let _ = std::fs::hard_link(&stream, &second);
    try_stream("hard-link", UNIX, 0, &unix(&second));
    if let Ok(dir) = call(trick::sys::nr::OPENAT, &[trick::sys::AT_FDCWD, trick::c(&run).as_ptr() as i64, 0x20_0000]) {
        try_stream("descriptor", UNIX, 0, &unix(format!("/proc/self/fd/{dir}/docker.sock").as_ref()));
    }
    in_child(|| {
        if std::env::set_current_dir(&run).is_ok() {
            try_stream("relative", UNIX, 0, &unix("docker.sock".as_ref()));
        }
        0
    });
    let to = unix(&datagrams);
    let datagram = || socket(UNIX, DATAGRAM, 0);
    if let Ok(socket) = datagram() {
        let _ = send_to(socket, &load("datagram"), 0, &to);
        let _ = send_message(socket, &load("datagram-sendmsg"), 0, &to);
        let _ = send_messages(socket, &load("datagram-sendmmsg"), 0, &to);
        let _ = send_to(socket, &load("datagram-abstract"), 0, &unix_abstract(&run.join("abstract-log")));
    }
    if let Ok(socket) = datagram() {
        let _ = connect(socket, &to);
        let _ = write(socket, &load("datagram-connected"));
    }
    // Born connected to its twin; the address of a message overrides that.
    let mut pair = [0i32; 2];
    if call(SOCKETPAIR, &[UNIX, DATAGRAM, 0, pair.as_mut_ptr() as i64]).is_ok() {
        let _ = send_to(pair[0].into(), &load("pair"), 0, &to);
    }
    if let Ok(socket) = socket(UNIX, SEQPACKET, 0) {
        if connect(socket, &unix(&run.join("sequenced.sock"))).is_ok() {
            let _ = write(socket, &load("sequenced"));
        }
    }
}
