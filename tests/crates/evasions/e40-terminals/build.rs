//! A terminal of its own, which becomes the controlling one of a child, and characters pushed into it as if somebody had typed them.

use std::fs;
use std::io::Read;
use std::os::fd::AsRawFd;

use trick::sys::{call, in_child};

const IOCTL: i64 = 16;
const SETSID: i64 = 112;
const TIOCSCTTY: i64 = 0x540e;
const TIOCSTI: i64 = 0x5412;
const TIOCLINUX: i64 = 0x541c;
const TIOCSPTLCK: i64 = 0x4004_5431;
const TIOCGPTPEER: i64 = 0x5441;
const FS_IOC_GETFLAGS: i64 = 0x8008_6601;
const FS_IOC_SETFLAGS: i64 = 0x4008_6602;
const FS_IOC_FSGETXATTR: i64 = 0x801c_581f;
const FS_IOC_FSSETXATTR: i64 = 0x401c_5820;
const O_RDWR: i64 = 2;

fn main() {
    let path = trick::out_dir().join("flagged");
    fs::write(&path, "").unwrap();
    let file = i64::from(std::os::fd::IntoRawFd::into_raw_fd(fs::File::open(path).unwrap()));
    let same = |get: i64, set: i64| {
        let mut words = [0_u64; 8];
        let _ = call(IOCTL, &[file, get, words.as_mut_ptr() as i64]);
        call(IOCTL, &[file, set, words.as_ptr() as i64]).is_ok()
    };
    if same(FS_IOC_GETFLAGS, FS_IOC_SETFLAGS) {
        trick::won("file-flags");
    }
    if same(FS_IOC_FSGETXATTR, FS_IOC_FSSETXATTR) {
        trick::won("file-attributes");
    }

    let Ok(mut pair) = fs::OpenOptions::new().read(true).write(true).open("/dev/ptmx") else { return };
    let unlocked = 0_i32;
    let _ = call(IOCTL, &[pair.as_raw_fd().into(), TIOCSPTLCK, &raw const unlocked as i64]);
    let Ok(terminal) = call(IOCTL, &[pair.as_raw_fd().into(), TIOCGPTPEER, O_RDWR]) else { return };
    let typed = in_child(|| {
        let _ = call(SETSID, &[]);
        let _ = call(IOCTL, &[terminal, TIOCSCTTY, 0]);
        if b"echo\n".iter().any(|letter| call(IOCTL, &[terminal, TIOCSTI, &raw const *letter as i64]).is_err()) {
            return 1;
        }
        // What is typed is echoed to the other end.
        let mut echo = [0; 64];
        i32::from(!pair.read(&mut echo).is_ok_and(|length| length > 0 && echo[0] == b'e'))
    });
    if typed == 0 {
        trick::won("type");
    }
    let stolen = in_child(|| {
        // Somebody has it for a controlling terminal; somebody else takes it from him.
        let _ = call(SETSID, &[]);
        let _ = call(IOCTL, &[terminal, TIOCSCTTY, 0]);
        in_child(|| {
            let _ = call(SETSID, &[]);
            i32::from(call(IOCTL, &[terminal, TIOCSCTTY, 1]).is_err())
        })
    });
    if stolen == 0 {
        trick::won("steal");
    }
    if call(IOCTL, &[terminal, TIOCLINUX, c"\x06".as_ptr() as i64]).is_ok() {
        trick::won("console");
    }
}
