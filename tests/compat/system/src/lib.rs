//! What the system has is linked and called.

#[cfg(test)]
mod tests {
    #[test]
    fn libraries_answer() {
        assert!(openssl::version::number() > 0);
        // SAFETY: neither takes anything.
        unsafe {
            assert!(libsqlite3_sys::sqlite3_libversion_number() > 3_000_000);
            assert!(!libz_sys::zlibVersion().is_null());
        }
    }
}
