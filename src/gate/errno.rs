//! Errors as the kernel tells them.

use std::ffi::CString;
use std::io;

/// # Errors
/// `EINVAL` where there is a NUL in it.
pub fn c_string(text: Vec<u8>) -> io::Result<CString> {
    CString::new(text).map_err(|_| io::Error::from_raw_os_error(libc::EINVAL))
}

/// # Errors
/// Always: this errno.
pub fn fail<T>(errno: i32) -> io::Result<T> {
    Err(io::Error::from_raw_os_error(errno))
}
