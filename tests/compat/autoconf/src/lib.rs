//! What was built is linked and called.

#[cfg(test)]
mod tests {
    #[test]
    fn libraries_answer() {
        // SAFETY: the first takes nothing, the second is given back what it gave.
        unsafe {
            assert!(libsodium_sys::sodium_init() >= 0);
            let got = tikv_jemalloc_sys::malloc(64);
            assert!(!got.is_null());
            tikv_jemalloc_sys::free(got);
        }
    }
}
