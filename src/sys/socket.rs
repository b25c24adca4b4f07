//! Sockets by raw address bytes. The address of an actor's call is carried as the bytes it wrote, read once: what is judged is what is used.

use std::io;
use std::mem::size_of;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};

use super::descriptors::{check, fresh};

/// `SO_NETNS_COOKIE` (Linux 5.14), which libc does not declare for every target.
pub const SO_NETNS_COOKIE: libc::c_int = 71;

/// `socket(2)`; pass `SOCK_CLOEXEC` in `kind`.
pub fn create(family: libc::c_int, kind: libc::c_int, protocol: libc::c_int) -> io::Result<OwnedFd> {
    // SAFETY: no pointers; the call makes the descriptor.
    unsafe { fresh(libc::socket(family, kind, protocol)) }
}

/// `socketpair(AF_UNIX)`, close-on-exec.
pub fn pair(kind: libc::c_int) -> io::Result<(OwnedFd, OwnedFd)> {
    let mut ends = [-1; 2];
    // SAFETY: `ends` has room for the two descriptors.
    check(unsafe { libc::socketpair(libc::AF_UNIX, kind | libc::SOCK_CLOEXEC, 0, ends.as_mut_ptr()) })?;
    // SAFETY: the call succeeded, so both are fresh descriptors that nobody else has.
    Ok(unsafe { (OwnedFd::from_raw_fd(ends[0]), OwnedFd::from_raw_fd(ends[1])) })
}

/// `connect(2)` to a sockaddr given as bytes.
pub fn connect(socket: BorrowedFd<'_>, address: &[u8]) -> io::Result<()> {
    // SAFETY: pointer and length describe `address`; the kernel copies it.
    check(unsafe { libc::connect(socket.as_raw_fd(), address.as_ptr().cast(), address.len() as libc::socklen_t) }).map(drop)
}

/// `bind(2)` to a sockaddr given as bytes.
pub fn bind(socket: BorrowedFd<'_>, address: &[u8]) -> io::Result<()> {
    // SAFETY: pointer and length describe `address`; the kernel copies it.
    check(unsafe { libc::bind(socket.as_raw_fd(), address.as_ptr().cast(), address.len() as libc::socklen_t) }).map(drop)
}

/// `listen(2)`.
pub fn listen(socket: BorrowedFd<'_>, backlog: libc::c_int) -> io::Result<()> {
    // SAFETY: no pointers.
    check(unsafe { libc::listen(socket.as_raw_fd(), backlog) }).map(drop)
}

/// `accept4(2)`, close-on-exec and non-blocking, without the peer's address.
pub fn accept(socket: BorrowedFd<'_>) -> io::Result<OwnedFd> {
    let flags = libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK;
    // SAFETY: null address and length are allowed: the peer's address is not wanted. The call makes the descriptor.
    unsafe { fresh(libc::accept4(socket.as_raw_fd(), std::ptr::null_mut(), std::ptr::null_mut(), flags)) }
}

/// `getsockname(2)` as sockaddr bytes.
pub fn local_name(socket: BorrowedFd<'_>) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0u8; size_of::<libc::sockaddr_storage>()];
    let mut length = bytes.len() as libc::socklen_t;
    // SAFETY: `bytes` is writable for `length` bytes, which the kernel does not exceed.
    check(unsafe { libc::getsockname(socket.as_raw_fd(), bytes.as_mut_ptr().cast(), &raw mut length) })?;
    bytes.truncate(length as usize);
    Ok(bytes)
}

/// Is it connected (`getpeername(2)`)?
pub fn has_peer(socket: BorrowedFd<'_>) -> bool {
    let mut length = 0;
    // SAFETY: a length of 0 has the kernel write nothing but the length it would have needed; null is never written to.
    unsafe { libc::getpeername(socket.as_raw_fd(), std::ptr::null_mut(), &raw mut length) == 0 }
}

/// `getsockopt(2)` into `value`; returns how many bytes were written.
pub fn option(socket: BorrowedFd<'_>, level: libc::c_int, name: libc::c_int, value: &mut [u8]) -> io::Result<usize> {
    let mut length = value.len() as libc::socklen_t;
    // SAFETY: `value` is writable for `length` bytes.
    check(unsafe { libc::getsockopt(socket.as_raw_fd(), level, name, value.as_mut_ptr().cast(), &raw mut length) })?;
    Ok(length as usize)
}

/// An integer option.
pub fn int_option(socket: BorrowedFd<'_>, level: libc::c_int, name: libc::c_int) -> io::Result<i32> {
    let mut bytes = [0u8; 4];
    option(socket, level, name, &mut bytes)?;
    Ok(i32::from_ne_bytes(bytes))
}

/// `SO_NETNS_COOKIE`: which network namespace a socket was born in.
pub fn netns_cookie(socket: BorrowedFd<'_>) -> io::Result<u64> {
    let mut bytes = [0u8; 8];
    option(socket, libc::SOL_SOCKET, SO_NETNS_COOKIE, &mut bytes)?;
    Ok(u64::from_ne_bytes(bytes))
}

/// `setsockopt(2)`.
pub fn set_option(socket: BorrowedFd<'_>, level: libc::c_int, name: libc::c_int, value: &[u8]) -> io::Result<()> {
    // SAFETY: pointer and length describe `value`; the kernel copies it.
    check(unsafe { libc::setsockopt(socket.as_raw_fd(), level, name, value.as_ptr().cast(), value.len() as libc::socklen_t) }).map(drop)
}

/// `sendto(2)`, without SIGPIPE; an empty address means the connected peer.
pub fn send_to(socket: BorrowedFd<'_>, payload: &[u8], flags: libc::c_int, address: &[u8]) -> io::Result<usize> {
    let (name, length) =
        if address.is_empty() { (std::ptr::null(), 0) } else { (address.as_ptr().cast(), address.len() as libc::socklen_t) };
    // SAFETY: both pointers come with the lengths of what they point at; the kernel only reads.
    let sent =
        unsafe { libc::sendto(socket.as_raw_fd(), payload.as_ptr().cast(), payload.len(), flags | libc::MSG_NOSIGNAL, name, length) };
    if sent < 0 { Err(io::Error::last_os_error()) } else { Ok(sent as usize) }
}

/// `sendmsg(2)`, without SIGPIPE: one part, control messages as they are; an empty address means the connected peer.
pub fn send_message(socket: BorrowedFd<'_>, payload: &[u8], control: &[u8], flags: libc::c_int, address: &[u8]) -> io::Result<usize> {
    let mut part = libc::iovec { iov_base: payload.as_ptr().cast_mut().cast(), iov_len: payload.len() };
    // Where words have to lie.
    let mut aligned = vec![0u64; control.len().div_ceil(8)];
    for (word, bytes) in aligned.iter_mut().zip(control.chunks(8)) {
        let mut whole = [0; 8];
        whole[..bytes.len()].copy_from_slice(bytes);
        *word = u64::from_ne_bytes(whole);
    }
    // SAFETY: `msghdr` is plain integers and pointers; all zeros is a valid value.
    let mut message: libc::msghdr = unsafe { std::mem::zeroed() };
    message.msg_iov = &raw mut part;
    message.msg_iovlen = 1;
    if !address.is_empty() {
        message.msg_name = address.as_ptr().cast_mut().cast();
        message.msg_namelen = address.len() as libc::socklen_t;
    }
    if !control.is_empty() {
        message.msg_control = aligned.as_mut_ptr().cast();
        message.msg_controllen = control.len() as _;
    }
    // SAFETY: every pointer of the message comes with the length of what it points at, and all of it outlives the call; the kernel only reads.
    let sent = unsafe { libc::sendmsg(socket.as_raw_fd(), &raw const message, flags | libc::MSG_NOSIGNAL) };
    if sent < 0 { Err(io::Error::last_os_error()) } else { Ok(sent as usize) }
}

/// `recvfrom(2)`; returns how much was read and the sender's sockaddr.
pub fn receive_from(socket: BorrowedFd<'_>, buffer: &mut [u8], flags: libc::c_int) -> io::Result<(usize, Vec<u8>)> {
    let mut name = vec![0u8; size_of::<libc::sockaddr_storage>()];
    let mut length = name.len() as libc::socklen_t;
    // SAFETY: buffer and name are writable for the lengths given.
    let read = unsafe {
        libc::recvfrom(socket.as_raw_fd(), buffer.as_mut_ptr().cast(), buffer.len(), flags, name.as_mut_ptr().cast(), &raw mut length)
    };
    if read < 0 {
        return Err(io::Error::last_os_error());
    }
    name.truncate(length as usize);
    Ok((read as usize, name))
}

/// One message with at most one descriptor (SCM_RIGHTS).
pub fn send_with_fd(socket: BorrowedFd<'_>, payload: &[u8], fd: Option<BorrowedFd<'_>>) -> io::Result<()> {
    let mut part = libc::iovec { iov_base: payload.as_ptr().cast_mut().cast(), iov_len: payload.len() };
    let mut control = [0u64; 4];
    // SAFETY: `msghdr` is plain integers and pointers; all zeros is a valid value.
    let mut message: libc::msghdr = unsafe { std::mem::zeroed() };
    message.msg_iov = &raw mut part;
    message.msg_iovlen = 1;
    if let Some(fd) = fd {
        message.msg_control = control.as_mut_ptr().cast();
        // SAFETY: pure arithmetic.
        message.msg_controllen = unsafe { libc::CMSG_SPACE(size_of::<RawFd>() as u32) } as _;
        // SAFETY: `control` (32 bytes, aligned for cmsghdr) holds CMSG_SPACE(4) = 24 bytes, so the first header and its 4 data bytes are inside.
        unsafe {
            let header = libc::CMSG_FIRSTHDR(&raw const message);
            (*header).cmsg_level = libc::SOL_SOCKET;
            (*header).cmsg_type = libc::SCM_RIGHTS;
            (*header).cmsg_len = libc::CMSG_LEN(size_of::<RawFd>() as u32) as _;
            libc::CMSG_DATA(header).cast::<RawFd>().write_unaligned(fd.as_raw_fd());
        }
    }
    // SAFETY: `message` points at `part` and `control`, which live until the call returns.
    let sent = unsafe { libc::sendmsg(socket.as_raw_fd(), &raw const message, libc::MSG_NOSIGNAL) };
    if sent < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// Receives one message and the descriptor that came with it, close-on-exec. Zero bytes: the other end is gone.
pub fn receive_with_fd(socket: BorrowedFd<'_>, buffer: &mut [u8]) -> io::Result<(usize, Option<OwnedFd>)> {
    let mut part = libc::iovec { iov_base: buffer.as_mut_ptr().cast(), iov_len: buffer.len() };
    let mut control = [0u64; 4];
    // SAFETY: `msghdr` is plain integers and pointers; all zeros is a valid value.
    let mut message: libc::msghdr = unsafe { std::mem::zeroed() };
    message.msg_iov = &raw mut part;
    message.msg_iovlen = 1;
    message.msg_control = control.as_mut_ptr().cast();
    // SAFETY: pure arithmetic; CMSG_SPACE(4) = 24 fits into `control`, and leaves room for one descriptor only.
    message.msg_controllen = unsafe { libc::CMSG_SPACE(size_of::<RawFd>() as u32) } as _;
    // SAFETY: `message` points at writable memory of the stated lengths that lives until the call returns.
    let read = unsafe { libc::recvmsg(socket.as_raw_fd(), &raw mut message, libc::MSG_CMSG_CLOEXEC) };
    if read < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the kernel filled `control` up to `msg_controllen`; a header is only looked into when it is whole, and a SCM_RIGHTS header
    // that holds one descriptor holds a fresh one that is ours.
    let fd = unsafe {
        let header = libc::CMSG_FIRSTHDR(&raw const message);
        let whole = !header.is_null()
            && (*header).cmsg_level == libc::SOL_SOCKET
            && (*header).cmsg_type == libc::SCM_RIGHTS
            && (*header).cmsg_len as usize == libc::CMSG_LEN(size_of::<RawFd>() as u32) as usize;
        whole.then(|| OwnedFd::from_raw_fd(libc::CMSG_DATA(header).cast::<RawFd>().read_unaligned()))
    };
    Ok((read as usize, fd))
}

/// `poll(2)` over `entries`; milliseconds, -1 for ever. An interruption counts as nothing ready.
pub fn poll(entries: &mut [libc::pollfd], timeout_ms: i32) -> io::Result<usize> {
    // SAFETY: pointer and length describe `entries`.
    let ready = unsafe { libc::poll(entries.as_mut_ptr(), entries.len() as libc::nfds_t, timeout_ms) };
    if ready >= 0 {
        return Ok(ready as usize);
    }
    let error = io::Error::last_os_error();
    if error.kind() == io::ErrorKind::Interrupted { Ok(0) } else { Err(error) }
}

/// Waits for one descriptor. Whether any of `events` (or an error) is there.
pub fn wait(fd: BorrowedFd<'_>, events: libc::c_short, timeout_ms: i32) -> io::Result<bool> {
    let mut entry = [libc::pollfd { fd: fd.as_raw_fd(), events, revents: 0 }];
    Ok(poll(&mut entry, timeout_ms)? > 0)
}

/// `fcntl(F_GETFL)`.
pub fn status_flags(fd: BorrowedFd<'_>) -> io::Result<libc::c_int> {
    // SAFETY: no pointers.
    check(unsafe { libc::fcntl(fd.as_raw_fd(), libc::F_GETFL) })
}

/// `fcntl(F_SETFL)`.
pub fn set_status_flags(fd: BorrowedFd<'_>, flags: libc::c_int) -> io::Result<()> {
    // SAFETY: no pointers.
    check(unsafe { libc::fcntl(fd.as_raw_fd(), libc::F_SETFL, flags) }).map(drop)
}

/// Inode number of an open socket; `None` when the descriptor is something else. `fstat(2)`.
pub fn inode(fd: BorrowedFd<'_>) -> io::Result<Option<u64>> {
    let facts = super::files::stat(fd)?;
    Ok((facts.mode & libc::S_IFMT == libc::S_IFSOCK).then_some(facts.ino))
}
