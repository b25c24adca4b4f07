//! What was built is linked and called.

#[cfg(test)]
mod tests {
    #[test]
    fn libraries_answer() {
        // SAFETY: none of these takes anything.
        unsafe {
            assert!(libsqlite3_sys::sqlite3_libversion_number() > 3_000_000);
            assert!(zstd_sys::ZSTD_versionNumber() > 10_000);
            assert!(!libz_sys::zlibVersion().is_null());
        }
        assert_eq!(blake3::hash(b"x"), blake3::hash(b"x"));
    }
}
