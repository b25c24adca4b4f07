//! A function written in C.

unsafe extern "C" {
    fn zoo_answer() -> i32;
}

pub fn answer() -> i32 {
    unsafe { zoo_answer() }
}
