//! POSIX message queues, mq_overview(7).

use std::ffi::CStr;
use std::io;
use std::os::fd::OwnedFd;

use super::descriptors::fresh;

/// `struct mq_attr` of a queue that is made: flags, messages, bytes of each, and what is of no account here.
#[derive(Clone, Copy, Debug)]
pub struct Attributes([i64; 8]);

impl Attributes {
    /// In bytes.
    pub const SIZE: usize = 64;

    /// As it lies in the memory of whoever calls.
    pub fn read(bytes: &[u8; Attributes::SIZE]) -> Attributes {
        let mut words = [0; 8];
        for (word, bytes) in words.iter_mut().zip(bytes.chunks_exact(8)) {
            *word = i64::from_ne_bytes(bytes.try_into().unwrap_or_default());
        }
        Attributes(words)
    }

    /// How many bytes such a queue takes of its maker's limit (`mqueue_get_inode`, ipc/mqueue.c): each message with the two headers around it.
    pub fn room(&self) -> u64 {
        const HEADERS: i64 = 96;
        let [_, messages, length, ..] = self.0;
        // What is no size the kernel refuses by itself.
        let is_size = messages > 0 && length > 0;
        if is_size { messages.saturating_mul(length.saturating_add(HEADERS)).unsigned_abs() } else { 0 }
    }
}

/// `mq_open(2)`; the name without a slash before it, `mode` of a new one before the umask.
///
/// # Errors
/// The errno of the call.
pub fn open(name: &CStr, flags: i32, mode: u32, attributes: Option<&Attributes>) -> io::Result<OwnedFd> {
    let attributes = attributes.map_or(std::ptr::null(), |attributes| attributes.0.as_ptr());
    // SAFETY: `name` is NUL-terminated; the attributes are null or eight words, which the kernel only reads; both outlive the call, which makes
    // the descriptor.
    unsafe { fresh(libc::syscall(libc::SYS_mq_open, name.as_ptr(), flags, mode, attributes) as libc::c_int) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_room_of_a_queue() {
        let of = |messages: i64, length: i64| {
            let mut bytes = [0; Attributes::SIZE];
            bytes[8..16].copy_from_slice(&messages.to_ne_bytes());
            bytes[16..24].copy_from_slice(&length.to_ne_bytes());
            Attributes::read(&bytes).room()
        };
        assert_eq!([of(10, 8192), of(1, 1), of(0, 0)], [82_880, 97, 0]);
        assert_eq!([of(i64::MAX, i64::MAX), of(-1, 8)], [i64::MAX as u64, 0]);
    }
}
