//! Descriptor 900 came along through cargo, unless somebody closed it.

use trick::sys::call;

const PREAD64: i64 = 17;
const SENDFILE: i64 = 40;
const MMAP: i64 = 9;
const LEFT_OPEN: i64 = 900;

fn main() {
    let mut bytes = [0_u8; 256];
    if call(PREAD64, &[LEFT_OPEN, bytes.as_mut_ptr() as i64, 256, 0]).is_ok_and(|count| trick::is_canary(&bytes[..count as usize])) {
        trick::won("pread");
    }
    if let Ok(at) = call(MMAP, &[0, 4096, 1, 2, LEFT_OPEN, 0])
        && trick::is_canary(unsafe { std::slice::from_raw_parts(at as *const u8, 256) })
    {
        trick::won("mmap");
    }
    let copy = std::fs::File::options().read(true).write(true).create(true).truncate(true).open(trick::out_dir().join("copy")).unwrap();
    let mut begin = 0_i64;
    let _ = call(SENDFILE, &[i64::from(std::os::fd::AsRawFd::as_raw_fd(&copy)), LEFT_OPEN, &raw mut begin as i64, 256]);
    trick::try_read("sendfile", trick::out_dir().join("copy"));
    trick::try_read("proc-self-fd", format!("/proc/self/fd/{LEFT_OPEN}"));
    trick::try_read("dev-fd", format!("/dev/fd/{LEFT_OPEN}"));
}
