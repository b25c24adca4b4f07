//! Kernel calls only tests make.

/// A writable page followed by one that is not mapped, and the address where it ends. Leaked.
pub fn page_before_a_hole() -> (&'static mut [u8], u64) {
    // SAFETY: a fresh anonymous mapping of two pages, of which the second is unmapped at once; the first is never unmapped, so a
    // 'static slice over it is sound, and nobody else has it.
    unsafe {
        let base =
            libc::mmap(std::ptr::null_mut(), 8192, libc::PROT_READ | libc::PROT_WRITE, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS, -1, 0);
        assert_ne!(base, libc::MAP_FAILED);
        assert_eq!(libc::munmap(base.byte_add(4096), 4096), 0);
        (std::slice::from_raw_parts_mut(base.cast(), 4096), base as u64 + 4096)
    }
}
