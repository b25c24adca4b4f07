//! Which requests `ioctl` may make unasked. The gate hears of every other one (`model::calls`).

// ioctl numbers, the same on both architectures (asm-generic).
pub(super) const TIOCSCTTY: u32 = 0x540e;

/// Requests everybody may make, whatever the descriptor: about terminals and pipes of one's own, about the descriptor itself, and what
/// sockets tell of their network. None of them is a file system's (`asm-generic/ioctls.h`, `asm-generic/sockios.h`, `linux/sockios.h`):
/// there each has snapshots, flags, clones and more of its own, which need no more than a descriptor open for reading. Measured on cargo,
/// rustc, cc, make, git, perl, python, node, bash, coreutils and tests with pseudo-terminals.
pub(super) const IOCTLS: &[u32] = &[
    // TCGETS, TCSETS, TCSETSW, TCSETSF; TCGETA and its three; TCSBRK, TCXONC, TCFLSH, TIOCEXCL, TIOCNXCL.
    0x5401,
    0x5402,
    0x5403,
    0x5404,
    0x5405,
    0x5406,
    0x5407,
    0x5408,
    0x5409,
    0x540a,
    0x540b,
    0x540c,
    0x540d,
    // Becoming the controlling terminal, where nobody has it (see below); TIOCGPGRP, TIOCSPGRP, TIOCOUTQ (SIOCOUTQ).
    TIOCSCTTY,
    0x540f,
    0x5410,
    0x5411,
    // TIOCGWINSZ, TIOCSWINSZ, FIONREAD (SIOCINQ), TIOCPKT, FIONBIO, TIOCNOTTY, TIOCGETD, TCSBRKP, TIOCGSID.
    0x5413,
    0x5414,
    0x541b,
    0x5420,
    0x5421,
    0x5422,
    0x5424,
    0x5425,
    0x5429,
    // TCGETS2, TCSETS2, TCSETSW2, TCSETSF2.
    0x802c_542a,
    0x402c_542b,
    0x402c_542c,
    0x402c_542d,
    // Pseudo-terminals: TIOCGPTN, TIOCSPTLCK, TIOCGDEV, TIOCGPKT, TIOCGPTLCK, TIOCGEXCL, TIOCGPTPEER.
    0x8004_5430,
    0x4004_5431,
    0x8004_5432,
    0x8004_5438,
    0x8004_5439,
    0x8004_5440,
    0x5441,
    // FIONCLEX, FIOCLEX, FIOASYNC, FIOQSIZE.
    0x5450,
    0x5451,
    0x5452,
    0x5460,
    // FIOGETOWN, SIOCGPGRP, SIOCATMARK; times of arrival (SIOCGSTAMP, SIOCGSTAMPNS, and both with 64 bits).
    0x8903,
    0x8904,
    0x8905,
    0x8906,
    0x8907,
    0x8010_8906,
    0x8010_8907,
    // SIOCGIFNAME, SIOCGIFCONF, …FLAGS, …ADDR, …DSTADDR, …BRDADDR, …NETMASK, …METRIC, …MTU, …HWADDR, …INDEX, …TXQLEN, …MAP.
    0x8910,
    0x8912,
    0x8913,
    0x8915,
    0x8917,
    0x8919,
    0x891b,
    0x891d,
    0x8921,
    0x8927,
    0x8933,
    0x8942,
    0x8970,
];
