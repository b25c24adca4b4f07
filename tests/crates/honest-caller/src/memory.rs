//! Memory without a name is sealed by whoever asked to be able to (memfd_create(2)).

use crate::c::*;

const MFD_ALLOW_SEALING: c_uint = 2;
const F_ADD_SEALS: c_int = 1033;
const F_GET_SEALS: c_int = 1034;
const F_SEAL_SEAL: c_int = 1;
const F_SEAL_WRITE: c_int = 8;
#[cfg(target_arch = "x86_64")]
const MEMFD_CREATE: c_long = 319;
#[cfg(target_arch = "aarch64")]
const MEMFD_CREATE: c_long = 279;

fn memory(flags: c_uint) -> c_int {
    let fd = unsafe { syscall(MEMFD_CREATE, c"x".as_ptr(), flags) } as c_int;
    assert!(fd >= 0, "{}", errno());
    fd
}

#[test]
fn what_was_not_meant_to_be_sealed_cannot_be() {
    let plain = memory(0);
    assert_eq!(unsafe { (fcntl(plain, F_ADD_SEALS, F_SEAL_WRITE), errno()) }, (-1, EPERM));
    assert_eq!(unsafe { fcntl(plain, F_GET_SEALS) } & F_SEAL_SEAL, F_SEAL_SEAL);
    let sealable = memory(MFD_ALLOW_SEALING);
    assert_eq!(unsafe { fcntl(sealable, F_GET_SEALS) } & (F_SEAL_SEAL | F_SEAL_WRITE), 0);
    assert_eq!(unsafe { fcntl(sealable, F_ADD_SEALS, F_SEAL_WRITE) }, 0);
    assert_eq!(unsafe { write(sealable, c"x".as_ptr().cast(), 1) }, -1);
}
