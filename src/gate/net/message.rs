//! `struct msghdr` and `struct mmsghdr` of a 64-bit actor, decoded from bytes read once. Pure.

use super::endpoint::LONGEST;

/// `sizeof(struct msghdr)` and `sizeof(struct mmsghdr)` on 64-bit Linux.
pub const HEADER: usize = 56;
pub const MANY_HEADER: usize = 64;
/// The kernel's `UIO_MAXIOV`.
pub const MOST_PARTS: u64 = 1024;

/// Where a message's parts lie in the actor's memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    pub name: u64,
    pub name_length: usize,
    pub parts: u64,
    pub part_count: u64,
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
        let expected = Header { name: 0x2000, name_length: 16, parts: 0x1000, part_count: 2, control_length: 7 };
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
    fn parts_are_bounded() {
        let iovec = |address: u64, length: u64| [address.to_ne_bytes(), length.to_ne_bytes()].concat();
        let two = [iovec(1, 10), iovec(2, 20)].concat();
        assert_eq!(parts(&two, 30), Some(vec![(1, 10), (2, 20)]));
        assert_eq!(parts(&two, 29), None);
        assert_eq!(parts(&[iovec(1, u64::MAX), iovec(2, 2)].concat(), 100), None);
        assert_eq!(parts(&[], 0), Some(vec![]));
    }
}
