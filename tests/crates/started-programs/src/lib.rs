//! ```
//! started_programs::work();
//! ```
//! ```
//! assert_eq!(1 + 1, 2);
//! ```

#[inline(never)]
pub fn work() {
    thief::steal();
}

#[test]
fn works() {
    work();
}
