//! A library in another language.

unsafe extern "C" {
    fn zoo_native() -> i32;
}

pub fn native() -> i32 {
    unsafe { zoo_native() }
}
