//! Ways into the kernel that a filter of system calls may not see: a ring of queued calls, and the 32-bit entry of x86.

unsafe extern "C" {
    fn syscall(number: i64, ...) -> i64;
    fn fork() -> i32;
    fn waitpid(pid: i32, status: *mut i32, options: i32) -> i32;
    fn _exit(code: i32) -> !;
}

const IO_URING_SETUP: i64 = 425;

fn main() {
    let mut parameters = [0u8; 120];
    if unsafe { syscall(IO_URING_SETUP, 2, parameters.as_mut_ptr()) } >= 0 {
        println!("zoo: io_uring opens");
    }
    // In a child of its own: whoever answers with a signal is to hit only this.
    let mut status = -1;
    unsafe {
        match fork() {
            0 => _exit(if int80_getpid() == std::process::id() { 0 } else { 1 }),
            child => waitpid(child, &mut status, 0),
        };
    }
    if status == 0 {
        println!("zoo: int 0x80 answers");
    }
}

#[cfg(target_arch = "x86_64")]
fn int80_getpid() -> u32 {
    let mut result: u64 = 20;
    unsafe { std::arch::asm!("int 0x80", inout("rax") result) };
    result as u32
}

#[cfg(not(target_arch = "x86_64"))]
fn int80_getpid() -> u32 {
    0
}
