//! Target: the seccomp program against the table it was made from, over random registers. The interpreter here is as strict as the kernel's
//! checker (`seccomp_check_filter`, `bpf_check_classic`): what it does not know is no program.

use super::source::Source;
use super::{fuzz, must};
use crate::model::calls::{LAST_KNOWN, Treatment, When, is_foreign, table};
use crate::wall::filter::{Pass, program};

const NATIVE: u32 = if cfg!(target_arch = "x86_64") { 0xc000_003e } else { 0xc000_00b7 };
const PASS: Pass = Pass { words: [0x0123_4567_89ab_cdef, 0xfedc_ba98_7654_3210, 0x5555_5555_aaaa_aaaa] };

#[derive(Debug)]
struct Call {
    arch: u32,
    number: u32,
    args: [u64; 6],
}

/// Every number a test of the table turns around.
fn turning_points() -> Vec<u64> {
    fn of(when: When, found: &mut Vec<u64>) {
        match when {
            When::Equals { value, .. } => found.push(value),
            When::AnyBit { mask, .. } => found.push(mask),
            When::All(tests) => tests.iter().for_each(|test| of(*test, found)),
            When::NoneOf { values, .. } => found.extend(values.iter().map(|value| u64::from(*value))),
            When::Always | When::NonZero { .. } => {}
        }
    }
    let mut found = PASS.words.to_vec();
    table().iter().for_each(|row| of(row.when, &mut found));
    found
}

fn call(source: &mut Source, points: &[u64]) -> Call {
    let number = match source.below(8) {
        0 => source.number() as u32,
        1 => (source.number() as u32) | 0x4000_0000,
        2 => source.below(LAST_KNOWN as usize + 20) as u32,
        _ => source.pick(table()).number as u32,
    };
    let mut args = [0; 6];
    for arg in &mut args {
        let point = source.pick(points);
        *arg = match source.below(6) {
            0 => source.number(),
            1 => point,
            2 => point ^ (1 << source.below(64)),
            3 => point | source.next() << 32,
            4 => 1 << source.below(64),
            _ => 0,
        };
    }
    if source.one_in(6) {
        args[3..].copy_from_slice(&PASS.words);
    }
    let any = source.next() as u32;
    let arch = if source.one_in(20) { source.pick(&[0x4000_0003, 0, any]) } else { NATIVE };
    Call { arch, number, args }
}

/// What the documentation of the table says the kernel is to answer.
fn agreed(call: &Call) -> u32 {
    // Of another ABI: the gate refuses and records it.
    if is_foreign(call.arch == NATIVE, call.number.into()) {
        return libc::SECCOMP_RET_USER_NOTIF;
    }
    let absent = libc::SECCOMP_RET_ERRNO | libc::ENOSYS as u32;
    if call.number > LAST_KNOWN {
        return absent;
    }
    if i64::from(call.number) == libc::SYS_sendmsg && call.args[3..] == PASS.words {
        return libc::SECCOMP_RET_ALLOW;
    }
    let rows = table().iter().filter(|row| row.number == i64::from(call.number));
    match rows.filter(|row| row.when.holds(&call.args)).map(|row| row.treatment).next() {
        None => libc::SECCOMP_RET_ALLOW,
        Some(Treatment::Absent) => absent,
        Some(_) => libc::SECCOMP_RET_USER_NOTIF,
    }
}

/// `struct seccomp_data` through the program.
fn answer(program: &[libc::sock_filter], call: &Call) -> Result<u32, String> {
    let mut data = [0; 16];
    (data[0], data[1]) = (call.number, call.arch);
    for (index, arg) in call.args.iter().enumerate() {
        (data[4 + 2 * index], data[5 + 2 * index]) = (*arg as u32, (*arg >> 32) as u32);
    }
    let (mut at, mut a) = (0usize, 0u32);
    // Jumps lead forwards only, so no run is longer than the program.
    for _ in 0..program.len() {
        let step = program.get(at).ok_or("the program runs off its end")?;
        at += 1;
        let jump = |yes: bool| usize::from(if yes { step.jt } else { step.jf });
        match u32::from(step.code) {
            code if code == libc::BPF_LD | libc::BPF_W | libc::BPF_ABS && step.k % 4 == 0 && step.k < 64 => a = data[step.k as usize / 4],
            code if code == libc::BPF_ALU | libc::BPF_AND | libc::BPF_K => a &= step.k,
            code if code == libc::BPF_JMP | libc::BPF_JA => at += step.k as usize,
            code if code == libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K => at += jump(a == step.k),
            code if code == libc::BPF_JMP | libc::BPF_JGT | libc::BPF_K => at += jump(a > step.k),
            code if code == libc::BPF_JMP | libc::BPF_JGE | libc::BPF_K => at += jump(a >= step.k),
            code if code == libc::BPF_RET | libc::BPF_K => return Ok(step.k),
            code => return Err(format!("instruction {code:#x} at {at}")),
        }
    }
    Err("the program does not end".into())
}

#[test]
fn the_program_answers_as_the_table_says() {
    let program = program(&PASS).expect("a program");
    let points = turning_points();
    let ask = |call: &Call| {
        let answer = answer(&program, call)?;
        must(answer == agreed(call), || format!("{answer:#x} instead of {:#x}", agreed(call)))
    };
    fuzz("filter", 30_000, |source| call(source, &points), ask);
}
