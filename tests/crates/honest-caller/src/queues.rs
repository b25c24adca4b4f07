//! POSIX message queues (mq_overview(7)): made, found again by another process, limited, unlinked.

use crate::c::*;

const O_CREAT: c_int = 0o100;
const O_EXCL: c_int = 0o200;
const ENOENT: i32 = 2;
const EEXIST: i32 = 17;
const EINVAL: i32 = 22;
const RLIMIT_MSGQUEUE: c_uint = 12;
const MESSAGES: usize = 16;

#[repr(C)]
struct Attributes {
    flags: c_long,
    messages: c_long,
    length: c_long,
    waiting: c_long,
    reserved: [c_long; 4],
}

unsafe extern "C" {
    fn mq_open(name: *const c_char, flags: c_int, ...) -> c_int;
    fn mq_unlink(name: *const c_char) -> c_int;
    fn mq_send(queue: c_int, from: *const c_char, length: usize, priority: c_uint) -> c_int;
    fn mq_receive(queue: c_int, into: *mut c_char, length: usize, priority: *mut c_uint) -> isize;
    fn umask(mask: c_uint) -> c_uint;
}

fn named(name: &str) -> CString {
    CString::new(format!("/brig-{name}-{}", std::process::id())).unwrap()
}

fn sizes(messages: c_long) -> Attributes {
    Attributes { flags: 0, messages, length: MESSAGES as c_long, waiting: 0, reserved: [0; 4] }
}

fn open(name: &CString, flags: c_int, attributes: &Attributes) -> c_int {
    unsafe { mq_open(name.as_ptr(), flags, 0o640 as c_uint, attributes) }
}

#[test]
fn a_message_comes_to_a_child() {
    let name = named("message");
    let queue = open(&name, O_RDWR | O_CREAT | O_EXCL, &sizes(4));
    assert!(queue >= 0, "{}", std::io::Error::last_os_error());
    assert_eq!((open(&name, O_RDWR | O_CREAT | O_EXCL, &sizes(4)), errno()), (-1, EEXIST));
    assert_eq!(unsafe { mq_send(queue, c"hello".as_ptr(), 5, 3) }, 0);
    let heard = child(|| {
        let (mut text, mut priority) = ([0; MESSAGES], 0);
        let queue = unsafe { mq_open(name.as_ptr(), O_RDONLY) };
        let length = unsafe { mq_receive(queue, text.as_mut_ptr(), MESSAGES, &mut priority) };
        i32::from(length != 5 || priority != 3)
    });
    assert_eq!(ends(heard), 0);
    assert_eq!(unsafe { mq_unlink(name.as_ptr()) }, 0);
    assert_eq!(unsafe { (mq_open(name.as_ptr(), O_RDONLY), errno()) }, (-1, ENOENT));
    assert_eq!((open(&name, O_RDWR | O_CREAT, &sizes(-1)), errno()), (-1, EINVAL));
    unsafe { close(queue) };
}

/// The mode is masked as a file's is, and how much a user's queues may hold is the caller's limit.
#[test]
fn its_own_mask_and_limit() {
    let name = named("limit");
    let pid = child(|| {
        unsafe { umask(0o077) };
        let queue = open(&name, O_RDWR | O_CREAT, &sizes(1));
        let mode = std::fs::metadata(format!("/proc/self/fd/{queue}")).map(|queue| std::os::unix::fs::MetadataExt::mode(&queue) & 0o777);
        unsafe { mq_unlink(name.as_ptr()) };
        if mode.ok() != Some(0o600) || unsafe { setrlimit(RLIMIT_MSGQUEUE, &[64, 64]) } != 0 {
            return 1;
        }
        let refused = (open(&name, O_RDWR | O_CREAT, &sizes(1)), errno());
        unsafe { mq_unlink(name.as_ptr()) };
        i32::from(refused != (-1, EMFILE)) * 2
    });
    assert_eq!(ends(pid), 0);
}
