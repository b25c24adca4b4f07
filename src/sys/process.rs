//! What `/proc` says about a thread: whose it is and in whose name it acts. In: a thread id. Out: plain numbers, none of which an actor
//! can forge.

use std::fs::File;
use std::io::Read;

use super::identity::Person;

/// What `/proc/<tid>/status` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Status {
    pub pid: u32,
    pub parent: u32,
    pub umask: u32,
    /// In whose name it opens files (fsuid).
    pub user: u32,
}

/// Reads it; `None` when the thread is gone.
pub fn status(tid: u32) -> Option<Status> {
    // One read: procfs gives a page at a time, and all that is wanted stands in the first lines.
    let mut text = [0; 1024];
    let length = File::open(format!("/proc/{tid}/status")).ok()?.read(&mut text).ok()?;
    parse_status(&text[..length])
}

fn parse_status(text: &[u8]) -> Option<Status> {
    let (mut pid, mut parent, mut umask, mut user) = (None, None, None, None);
    // The first line is the program's name, which the kernel escapes: no newline of the actor's making can start a line of its own.
    for line in text.split(|byte| *byte == b'\n').take(16) {
        let field = |name: &[u8]| std::str::from_utf8(line.strip_prefix(name)?).ok().map(str::trim);
        if let Some(value) = field(b"Umask:") {
            umask = u32::from_str_radix(value, 8).ok();
        } else if let Some(value) = field(b"Tgid:") {
            pid = value.parse().ok();
        } else if let Some(value) = field(b"PPid:") {
            parent = value.parse().ok();
        } else if let Some(value) = field(b"Uid:") {
            user = value.split_ascii_whitespace().nth(3).and_then(|user| user.parse().ok());
            break;
        }
    }
    Some(Status { pid: pid?, parent: parent?, umask: umask?, user: user? })
}

/// In whose name a thread opens files: user, group and supplementary groups.
pub fn person(tid: u32) -> Option<Person> {
    parse_person(&std::fs::read(format!("/proc/{tid}/status")).ok()?)
}

fn parse_person(text: &[u8]) -> Option<Person> {
    let line = |name: &[u8]| text.split(|byte| *byte == b'\n').find_map(|line| std::str::from_utf8(line.strip_prefix(name)?).ok());
    let fourth = |name: &[u8]| line(name)?.split_ascii_whitespace().nth(3)?.parse().ok();
    let groups = line(b"Groups:")?.split_ascii_whitespace().map(str::parse).collect::<Result<_, _>>().ok()?;
    Some(Person { user: fourth(b"Uid:")?, group: fourth(b"Gid:")?, groups })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn status_is_read_from_the_right_lines() {
        let text = b"Name:\ta\\nTgid:\t7\nUmask:\t0027\nState:\tR (running)\nTgid:\t42\nNgid:\t0\nPid:\t43\nPPid:\t6\nTracerPid:\t0\nUid:\t1\t2\t3\t4\n";
        assert_eq!(parse_status(text), Some(Status { pid: 42, parent: 6, umask: 0o27, user: 4 }));
        assert_eq!(parse_status(b""), None);
        let text = b"Name:\tx\nUid:\t1\t2\t3\t4\nGid:\t5\t6\t7\t8\nFDSize:\t64\nGroups:\t9 10 \n";
        assert_eq!(parse_person(text), Some(Person { user: 4, group: 8, groups: vec![9, 10] }));
        assert_eq!(status(std::process::id()).unwrap().pid, std::process::id());
    }
}
