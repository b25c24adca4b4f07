//! `struct msghdr` and `struct mmsghdr` of a 64-bit actor, and control messages, decoded from bytes read once. Pure.

use super::endpoint::LONGEST;

/// `sizeof(struct msghdr)` and `sizeof(struct mmsghdr)` on 64-bit Linux.
pub const HEADER: usize = 56;
pub const MANY_HEADER: usize = 64;
/// Where `struct mmsghdr` has what was sent of a message, an unsigned int.
pub const MANY_SENT: u64 = 56;
/// `sizeof(struct cmsghdr)`.
const CONTROL_HEADER: usize = 16;
/// The kernel's `UIO_MAXIOV`.
pub const MOST_PARTS: u64 = 1024;

/// Where a message's parts lie in the actor's memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    pub name: u64,
    pub name_length: usize,
    pub parts: u64,
    pub part_count: u64,
    pub control: u64,
    pub control_length: u64,
}

impl Header {
    /// Is there an address?
    pub fn has_name(&self) -> bool {
        self.name != 0 && self.name_length != 0
    }
}

/// `None`: the kernel would say EINVAL (or EMSGSIZE) as well.
pub fn header(bytes: &[u8]) -> Option<Header> {
    let name_length = i32::from_ne_bytes(bytes.get(8..12)?.try_into().ok()?);
    // Longer names are cut by the kernel (net/socket.c), negative ones refused.
    let name_length = usize::try_from(name_length).ok()?.min(LONGEST);
    let header = Header {
        name: word(bytes, 0)?,
        name_length,
        parts: word(bytes, 16)?,
        part_count: word(bytes, 24)?,
        control: word(bytes, 32)?,
        control_length: word(bytes, 40)?,
    };
    bytes.get(..HEADER)?;
    (header.part_count <= MOST_PARTS).then_some(header)
}

/// The (address, length) pairs of an iovec array; `None` when they add up to more than `limit`.
pub fn parts(bytes: &[u8], limit: usize) -> Option<Vec<(u64, usize)>> {
    let mut total = 0usize;
    let mut out = Vec::new();
    for chunk in bytes.chunks_exact(16) {
        let length = usize::try_from(word(chunk, 8)?).ok()?;
        total = total.checked_add(length)?;
        if total > limit {
            return None;
        }
        out.push((word(chunk, 0)?, length));
    }
    Some(out)
}

/// Whose bytes follow: `cmsg_level`, `cmsg_type`, and the data. `None` where the kernel would say EINVAL: a length that ends elsewhere
/// (`CMSG_OK`, `include/linux/socket.h`).
pub fn controls(bytes: &[u8]) -> Option<Vec<(i32, i32, &[u8])>> {
    let int = |at: usize| Some(i32::from_ne_bytes(bytes.get(at..at + 4)?.try_into().ok()?));
    let (mut at, mut out) = (0, Vec::new());
    while bytes.len() - at >= CONTROL_HEADER {
        let length = usize::try_from(word(bytes, at)?).ok().filter(|length| *length >= CONTROL_HEADER)?;
        let data = bytes.get(at + CONTROL_HEADER..at.checked_add(length)?)?;
        out.push((int(at + 8)?, int(at + 12)?, data));
        at = (at + length.next_multiple_of(8)).min(bytes.len());
    }
    Some(out)
}

fn word(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_ne_bytes(bytes.get(at..at + 8)?.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(name: u64, name_length: i32, part_count: u64) -> Vec<u8> {
        let mut out = name.to_ne_bytes().to_vec();
        out.extend(name_length.to_ne_bytes());
        out.extend([0xaa; 4]);
        out.extend(0x1000u64.to_ne_bytes());
        out.extend(part_count.to_ne_bytes());
        out.extend([0; 8]);
        out.extend(7u64.to_ne_bytes());
        out.extend([0; 8]);
        out
    }

    #[test]
    fn headers() {
        let whole = raw(0x2000, 16, 2);
        assert_eq!(whole.len(), HEADER);
        let expected = Header { name: 0x2000, name_length: 16, parts: 0x1000, part_count: 2, control: 0, control_length: 7 };
        assert_eq!(header(&whole), Some(expected));
        assert!(expected.has_name());
        assert!(!header(&raw(0, 16, 0)).unwrap().has_name());
        assert!(!header(&raw(1, 0, 0)).unwrap().has_name());
        assert_eq!(header(&raw(1, 1000, 0)).unwrap().name_length, LONGEST);
        assert_eq!(header(&raw(1, -1, 0)), None);
        assert_eq!(header(&raw(1, 16, 1025)), None);
        for cut in 0..HEADER {
            assert_eq!(header(&whole[..cut]), None);
        }
    }

    #[test]
    fn control_messages() {
        let one = |length: u64, level: i32, kind: i32, data: &[u8]| {
            let mut out = [&length.to_ne_bytes()[..], &level.to_ne_bytes(), &kind.to_ne_bytes(), data].concat();
            out.resize(out.len().next_multiple_of(8), 0);
            out
        };
        let two = [one(20, 0, 2, &[1, 2, 3, 4]), one(17, 17, 103, &[9])].concat();
        assert_eq!(controls(&two), Some(vec![(0, 2, &[1, 2, 3, 4][..]), (17, 103, &[9][..])]));
        assert_eq!(controls(&[]), Some(vec![]));
        // What is too short for a header is not looked at by the kernel either.
        assert_eq!(controls(&two[..20 + 4 + 15]), Some(vec![(0, 2, &[1, 2, 3, 4][..])]));
        for length in [0, 15, 21, u64::MAX] {
            assert_eq!(controls(&one(length, 0, 2, &[1, 2, 3, 4])[..20]), None, "{length}");
        }
    }

    #[test]
    fn parts_are_bounded() {
        let iovec = |address: u64, length: u64| [address.to_ne_bytes(), length.to_ne_bytes()].concat();
        let two = [iovec(1, 10), iovec(2, 20)].concat();
        assert_eq!(parts(&two, 30), Some(vec![(1, 10), (2, 20)]));
        assert_eq!(parts(&two, 29), None);
        assert_eq!(parts(&[iovec(1, u64::MAX), iovec(2, 2)].concat(), 100), None);
        assert_eq!(parts(&[], 0), Some(vec![]));
    }
}
