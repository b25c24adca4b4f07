//! What was built is linked and called.

#[cfg(test)]
mod tests {
    #[test]
    fn libraries_answer() {
        // SAFETY: neither takes anything.
        unsafe {
            assert!(!audiopus_sys::opus_get_version_string().is_null());
            let got = snmalloc_sys::sn_malloc(64);
            assert!(!got.is_null());
            snmalloc_sys::sn_free(got);
        }
    }
}
