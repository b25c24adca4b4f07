//! The program against the table (by a small interpreter) and against the kernel.

use std::hint::black_box;
use std::time::Instant;

use super::*;
use crate::sys::attempt;
use crate::sys::notify::Notification;
use crate::wall::probe::{Walls, behind};

const PASS: Pass = Pass { words: [0x0123_4567_89ab_cdef, 0xfedc_ba98_7654_3210, 0x5555_5555_aaaa_aaaa] };

/// What the program answers, and whether it looked at the arguments.
fn run(program: &[libc::sock_filter], arch: u32, number: u32, args: &[u64; 6]) -> (u32, bool) {
    let mut data = [0_u32; 16];
    (data[0], data[1]) = (number, arch);
    for (index, arg) in args.iter().enumerate() {
        (data[4 + 2 * index], data[5 + 2 * index]) = (*arg as u32, (*arg >> 32) as u32);
    }
    let (mut at, mut a, mut looked) = (0, 0_u32, false);
    loop {
        let step = program[at];
        let jump = |yes: bool| 1 + usize::from(if yes { step.jt } else { step.jf });
        at += match u32::from(step.code) {
            0x20 => {
                (a, looked) = (data[step.k as usize / 4], looked || step.k > 4);
                1
            }
            0x54 => {
                a &= step.k;
                1
            }
            0x05 => 1 + step.k as usize,
            0x15 => jump(a == step.k),
            0x25 => jump(a > step.k),
            0x35 => jump(a >= step.k),
            0x06 => return (step.k, looked),
            other => panic!("instruction {other:#x}"),
        };
    }
}

const NATIVE: u32 = if cfg!(target_arch = "x86_64") { 0xc000_003e } else { 0xc000_00b7 };

#[test]
fn the_program_says_what_the_table_says() {
    let program = program(&PASS).unwrap();
    // Values around which the tests of the table turn, and some that only differ in the half an `int` does not have.
    let mut values = vec![0, 1, 2, 3, 4, 8, 9, 25, 62, 1 << 32, (1 << 32) + 4, u64::MAX, 0x2000_0000, 0x2000_0001];
    values.extend([0x5401, 0x5412, 0x540e, 0x541c, 0xdead_0000_0000_5401, 0x8970, 0x4004_9409]);
    values.extend([0x4008_6602, 0xdead_0000_4008_6602, 0x401c_5820, 0x5961_6d61, 35]);
    values.extend((0..64).map(|bit| 1_u64 << bit));
    for number in 0..=LAST_KNOWN {
        let rows: Vec<_> = table().iter().filter(|row| row.number == i64::from(number)).collect();
        if number == libc::SYS_sendmsg as u32 {
            continue;
        }
        for first in &values {
            for second in &values {
                let args = [*first, *second, *first, *second, *first, 0];
                let swapped = [*second, *first, *second, *first, *second, *first];
                for args in [args, swapped, [7, 1, *first, 0, 0, 0], [7, 1, *first, *second, 0, 0]] {
                    let expected = match rows.iter().find(|row| row.when.holds(&args)).map(|row| row.treatment) {
                        None => libc::SECCOMP_RET_ALLOW,
                        Some(Treatment::Absent) => NOT_IMPLEMENTED,
                        Some(_) => libc::SECCOMP_RET_USER_NOTIF,
                    };
                    assert_eq!(run(&program, NATIVE, number, &args).0, expected, "call {number} {args:x?}");
                }
                if rows.iter().all(|row| row.when == When::Always) {
                    break; // arguments do not matter
                }
            }
        }
    }
}

/// Of the table a helper of ours has files and programs; the rest is refused, or does not exist.
#[test]
fn a_helper_has_files_and_programs_and_nothing_else() {
    let program = crate::wall::unplugged::program().unwrap();
    let answer = |number: i64, args: [u64; 6]| run(&program, NATIVE, number as u32, &args).0;
    let refused = libc::SECCOMP_RET_ERRNO | libc::EACCES as u32;
    for (name, number, args, expected) in [
        ("openat", libc::SYS_openat, [0; 6], libc::SECCOMP_RET_ALLOW),
        ("execve", libc::SYS_execve, [0; 6], libc::SECCOMP_RET_ALLOW),
        ("read", libc::SYS_read, [0; 6], libc::SECCOMP_RET_ALLOW),
        ("fchmod", libc::SYS_fchmod, [0; 6], refused),
        ("utimensat", libc::SYS_utimensat, [0; 6], refused),
        ("socket", libc::SYS_socket, [1, 1, 0, 0, 0, 0], refused),
        ("sendmsg", libc::SYS_sendmsg, [3, 0, 0, 0, 0, 0], refused),
        ("io_uring_setup", libc::SYS_io_uring_setup, [0; 6], refused),
        ("kill", libc::SYS_kill, [1, 9, 0, 0, 0, 0], refused),
        ("tgkill", libc::SYS_tgkill, [1, 1, 9, 0, 0, 0], refused),
        ("pidfd_send_signal", libc::SYS_pidfd_send_signal, [3, 9, 0, 0, 0, 0], refused),
        ("F_SETOWN", libc::SYS_fcntl, [0, libc::F_SETOWN as u64, 1, 0, 0, 0], refused),
        ("F_SETFD", libc::SYS_fcntl, [0, libc::F_SETFD as u64, 1, 0, 0, 0], libc::SECCOMP_RET_ALLOW),
        ("ptrace", libc::SYS_ptrace, [16, 1, 0, 0, 0, 0], refused),
        ("prlimit64 of another", libc::SYS_prlimit64, [1, 0, 9, 0, 0, 0], refused),
        ("prlimit64", libc::SYS_prlimit64, [0, 0, 9, 0, 0, 0], libc::SECCOMP_RET_ALLOW),
        ("TIOCSTI", libc::SYS_ioctl, [0, 0x5412, 0, 0, 0, 0], refused),
        ("TIOCLINUX", libc::SYS_ioctl, [0, 0xdead_0000_0000_541c, 0, 0, 0, 0], refused),
        ("a terminal of others", libc::SYS_ioctl, [0, 0x540e, 1, 0, 0, 0], refused),
        ("TCGETS", libc::SYS_ioctl, [0, 0x5401, 0, 0, 0, 0], libc::SECCOMP_RET_ALLOW),
        ("unshare", libc::SYS_unshare, [0; 6], refused),
        ("mount", libc::SYS_mount, [0; 6], refused),
        ("clone3", libc::SYS_clone3, [0; 6], NOT_IMPLEMENTED),
        ("a newer one", i64::from(LAST_KNOWN) + 1, [0; 6], NOT_IMPLEMENTED),
    ] {
        assert_eq!(answer(number, args), expected, "{name}");
    }
    assert_eq!(run(&program, NATIVE ^ 1, 0, &[0; 6]).0, libc::SECCOMP_RET_KILL_PROCESS);
}

#[test]
fn an_unlisted_call_is_allowed_without_a_look_at_its_arguments() {
    // This is what the kernel's action cache asks for: such calls do not even run the program.
    let program = program(&PASS).unwrap();
    for number in 0..=LAST_KNOWN {
        if table().iter().all(|row| row.number != i64::from(number)) {
            assert_eq!(run(&program, NATIVE, number, &[0; 6]), (libc::SECCOMP_RET_ALLOW, false), "call {number}");
        }
    }
}

#[test]
fn foreign_and_unheard_of_calls() {
    let program = program(&PASS).unwrap();
    let i386 = 0x4000_0003;
    let notified = libc::SECCOMP_RET_USER_NOTIF;
    for number in [0, 5, 20, 435, LAST_KNOWN + 1, 0x4000_0000, 0x8000_0000, u32::MAX] {
        assert_eq!(run(&program, i386, number, &[0; 6]), (notified, false), "{number:#x}");
    }
    for number in [LAST_KNOWN + 1, 512, 547, 0x3fff_ffff, 0x8000_0000, 0xc000_0000, u32::MAX] {
        assert_eq!(run(&program, NATIVE, number, &[0; 6]), (NOT_IMPLEMENTED, false), "{number:#x}");
    }
    let x32 = if cfg!(target_arch = "x86_64") { notified } else { NOT_IMPLEMENTED };
    for number in [0x4000_0000, 0x4000_0000 + 257, 0x4000_0000 + 520, 0x7fff_ffff] {
        assert_eq!(run(&program, NATIVE, number, &[0; 6]), (x32, false), "{number:#x}");
    }
}

#[test]
fn only_all_three_words_pass() {
    let program = program(&PASS).unwrap();
    let [a, b, c] = PASS.words;
    let answer = |args: [u64; 3]| run(&program, NATIVE, libc::SYS_sendmsg as u32, &[3, 4, 0, args[0], args[1], args[2]]).0;
    assert_eq!(answer([a, b, c]), libc::SECCOMP_RET_ALLOW);
    for bit in 0..64 {
        for (at, word) in [a, b, c].into_iter().enumerate() {
            let mut words = [a, b, c];
            words[at] = word ^ (1 << bit);
            assert_eq!(answer(words), libc::SECCOMP_RET_USER_NOTIF, "bit {bit} of word {at}");
        }
    }
    assert_eq!(answer([0, 0, 0]), libc::SECCOMP_RET_USER_NOTIF);
    assert_eq!(answer([c, b, a]), libc::SECCOMP_RET_USER_NOTIF);
}

#[test]
fn words_are_fresh() {
    let (one, two) = (Pass::random().unwrap(), Pass::random().unwrap());
    assert!(one.words.iter().zip(&two.words).all(|(one, two)| one != two && *one != 0));
}

fn walls() -> Walls {
    Walls { ruleset: None, program: Some(program(&PASS).unwrap()) }
}

#[test]
fn the_kernel_takes_it_and_notifies() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let path = file.path();
    // By whichever of them the C library takes.
    let is_chmod = |call: &Notification| crate::model::calls::row(call.number).is_some_and(|row| ["chmod", "fchmodat"].contains(&row.name));
    let answers = |call: &Notification| if is_chmod(call) { libc::EXFULL } else { 0 };
    let (results, seen) = behind(walls(), answers, || {
        let read = std::fs::read(path).is_ok();
        let chmod = std::fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o600));
        let process = std::process::Command::new("true").status().is_ok_and(|status| status.success());
        let thread = std::thread::spawn(|| 7).join().unwrap();
        let pair = std::os::unix::net::UnixDatagram::pair().is_ok();
        (read, chmod.unwrap_err().raw_os_error(), process, thread, pair, attempt::clone3_of_nothing())
    })
    .unwrap();
    assert_eq!(results, (true, Some(libc::EXFULL), true, 7, true, Err(libc::ENOSYS)));
    assert!(seen.contains(&libc::SYS_openat) && seen.contains(&libc::SYS_execve), "{seen:?}");
    assert!(!seen.contains(&libc::SYS_socketpair) && !seen.contains(&libc::SYS_clone), "{seen:?}");
}

#[test]
fn conditions_hold_in_the_kernel() {
    let (errnos, seen) = behind(
        walls(),
        |_| libc::EXFULL,
        || {
            let errno = |result: nix::Result<()>| result.err().map(|errno| errno as i32);
            [
                errno(nix::sys::prctl::set_name(c"honest")),
                errno(nix::sys::prctl::set_dumpable(true)),
                errno(nix::sys::prctl::set_dumpable(false)),
                errno(nix::sys::resource::getrlimit(nix::sys::resource::Resource::RLIMIT_NOFILE).map(drop)),
                errno(nix::sched::unshare(nix::sched::CloneFlags::CLONE_NEWNS)),
                attempt::harmless("io_uring_setup").err(),
                attempt::sendmsg_of_nothing(PASS.words).err(),
                attempt::sendmsg_of_nothing([0; 3]).err(),
            ]
        },
    )
    .unwrap();
    let marked = Some(libc::EXFULL);
    assert_eq!(errnos, [None, marked, marked, None, marked, marked, Some(libc::EBADF), marked]);
    assert_eq!(seen, [libc::SYS_prctl, libc::SYS_prctl, libc::SYS_unshare, libc::SYS_io_uring_setup, libc::SYS_sendmsg]);
}

/// The numbers to look at: `cargo test cost -- --nocapture`.
#[test]
fn cost_of_the_program() {
    let begin = Instant::now();
    for _ in 0..50 {
        black_box(program(black_box(&PASS)).unwrap());
    }
    println!("program: {:?} to compile, {} instructions", begin.elapsed() / 50, program(&PASS).unwrap().len());

    let ordinary = || {
        const TIMES: u32 = 200_000;
        let begin = Instant::now();
        (0..TIMES).for_each(|_| assert!(black_box(nix::unistd::getppid()).as_raw() >= 0));
        let unlisted = begin.elapsed() / TIMES;
        let begin = Instant::now();
        // ioctl has rows, none of which holds: the program runs to its end.
        (0..TIMES).for_each(|_| drop(black_box(nix::sys::termios::tcgetattr(std::io::stdin()))));
        (unlisted, begin.elapsed() / TIMES)
    };
    let native = std::thread::spawn(ordinary).join().unwrap();
    let (filtered, _) = behind(walls(), |_| 0, ordinary).unwrap();
    println!(
        "unlisted call: {:?} native, {:?} filtered; listed but not notified: {:?} native, {:?} filtered",
        native.0, filtered.0, native.1, filtered.1
    );
}

/// Whoever has a clock of its own is answered by the gate when it asks for the time of day, and by the kernel for any other clock; nobody else is.
#[test]
fn clocks_are_asked_for_only_where_they_are_moved() {
    let (plain, moved) = (program(&PASS).unwrap(), program_of(true, &PASS).unwrap());
    let asks =
        |program: &[libc::sock_filter], number: i64, clock: i32| run(program, NATIVE, number as u32, &[clock as u64, 0, 0, 0, 0, 0]).0;
    for (number, clock, stops) in [
        (libc::SYS_clock_gettime, libc::CLOCK_REALTIME, true),
        (libc::SYS_clock_gettime, libc::CLOCK_REALTIME_COARSE, true),
        (libc::SYS_clock_gettime, libc::CLOCK_MONOTONIC, false),
        (libc::SYS_clock_gettime, libc::CLOCK_BOOTTIME, false),
        (libc::SYS_gettimeofday, 0, true),
        (libc::SYS_uname, 0, true),
    ] {
        assert_eq!(asks(&plain, number, clock), libc::SECCOMP_RET_ALLOW, "{number} {clock}");
        let expected = if stops { libc::SECCOMP_RET_USER_NOTIF } else { libc::SECCOMP_RET_ALLOW };
        assert_eq!(asks(&moved, number, clock), expected, "{number} {clock}");
    }
}
