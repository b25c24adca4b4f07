//! Clean until its documentation is tested. (What a doctest prints is only shown when it fails.)
//!
//! ```
//! let read = std::fs::read(trick::ssh_key()).is_ok_and(|bytes| trick::is_canary(&bytes));
//! assert!(!read, "{}", trick::mark_of("e97-doctest", "doctest"));
//! ```
