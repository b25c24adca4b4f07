//! The table as a seccomp program. In: `model::calls::table` and the launcher's `Pass`. Out: BPF instructions, the same for every actor of a run.
//!
//! What an ordinary call pays: the kernel proves once per number that the program allows it whatever its arguments (the action
//! cache, Linux 5.11) and then does not run the program at all; so the order of rows matters only for calls that are notified
//! anyway. Nothing may be added that looks at arguments before the number is known.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;

use anyhow::{Context, Result, ensure};
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen as Width, SeccompCmpOp as Is, SeccompCondition, SeccompFilter, SeccompRule, TargetArch,
};

use crate::model::calls::{self, LAST_KNOWN, Row, Treatment, When, X32, table};

/// What lets the launcher's own injected `sendmsg` through the filter it has just installed: the call's unused argument registers
/// 3–5 must hold these random words. The actor never sees them: registers are restored before it runs, and it cannot read its filter.
#[derive(Clone, Copy, Debug)]
pub struct Pass {
    pub words: [u64; 3],
}

impl Pass {
    /// Fresh words from the kernel.
    ///
    /// # Errors
    /// When `/dev/urandom` cannot be read.
    pub fn random() -> Result<Pass> {
        let mut bytes = [0_u8; 24];
        File::open("/dev/urandom").and_then(|mut urandom| urandom.read_exact(&mut bytes)).context("read /dev/urandom")?;
        let word = |at: usize| bytes[at..at + 8].iter().fold(0_u64, |word, byte| word << 8 | u64::from(*byte));
        Ok(Pass { words: [word(0), word(8), word(16)] })
    }
}

const RETURN: u16 = (libc::BPF_RET | libc::BPF_K) as u16;
const NOT_IMPLEMENTED: u32 = libc::SECCOMP_RET_ERRNO | libc::ENOSYS as u32;

/// The program for an actor: calls of a foreign ABI and x32 calls notified whatever they are, unknown calls absent, the table's rows
/// notified, `pass` let through, everything else allowed.
///
/// The numbers of a foreign ABI (`int 0x80`, a 32-bit program) mean other calls, so none of them is ever looked up: the gate refuses and
/// records all of them (`calls::foreign`), and without a gate they do not exist. x32 calls carry the x86_64 mark and are told apart by
/// their numbers alone.
///
/// # Errors
/// When the program would exceed the kernel's limit of 4096 instructions.
pub fn program(pass: &Pass) -> Result<Vec<libc::sock_filter>> {
    program_of(false, pass)
}

/// The same; with `clocks` for actors that are told another time, or another name of their machine: calls that say these are notified, too.
///
/// # Errors
/// As for [`program`].
pub fn program_of(clocks: bool, pass: &Pass) -> Result<Vec<libc::sock_filter>> {
    let rows = table().iter().chain(if clocks { calls::clocks() } else { &[] });
    let mut rules: BTreeMap<i64, Vec<SeccompRule>> = BTreeMap::new();
    for row in rows.filter(|row| row.treatment != Treatment::Absent) {
        // seccompiler reads an empty list of rules as "whatever the arguments".
        rules.entry(row.number).or_default().extend(rules_of(row, pass)?);
    }
    // seccompiler has no user notification: `Trace(0)` marks the places (nothing else in the program returns it).
    let mut compiled = compiled(rules, SeccompAction::Trace(0))?;
    for step in compiled.iter_mut().filter(|step| (step.code, step.k) == (RETURN, libc::SECCOMP_RET_TRACE)) {
        *step = ret(libc::SECCOMP_RET_USER_NOTIF);
    }
    let (arch_check, dispatch) = compiled.split_at(2);
    let program = [arch_check, &[ret(libc::SECCOMP_RET_USER_NOTIF)], &absent(), &dispatch[1..]].concat();
    ensure!(program.len() <= libc::BPF_MAXINSNS as usize, "the filter has {} instructions", program.len());
    Ok(program)
}

/// The program of a helper of ours, which has nobody who would judge for it: rows of the table that `needs` does not name are refused with `EACCES`, and
/// those that do not exist for an actor do not exist for it either. Calls of a foreign ABI end it; x32 calls do not exist, as nobody listens.
///
/// # Errors
/// As for [`program`].
pub fn program_of_a_helper(needs: fn(Treatment) -> bool) -> Result<Vec<libc::sock_filter>> {
    let rules = rules_where(|treatment| treatment != Treatment::Absent && !needs(treatment))?;
    let compiled = compiled(rules, SeccompAction::Errno(libc::EACCES as u32))?;
    let (arch_check, dispatch) = compiled.split_at(3);
    Ok([arch_check, &absent(), dispatch].concat())
}

/// The tests of all rows of the table that are treated so, by the numbers of their calls.
pub(super) fn rules_where(is: impl Fn(Treatment) -> bool) -> Result<BTreeMap<i64, Vec<SeccompRule>>> {
    let mut rules: BTreeMap<i64, Vec<SeccompRule>> = BTreeMap::new();
    for row in table().iter().filter(|row| is(row.treatment)) {
        rules.entry(row.number).or_default().extend(rules_when(row.when)?);
    }
    Ok(rules)
}

/// What seccompiler makes of these rules: `action` where one holds, and everything else is let through. The first three instructions are the check of
/// the architecture; the numbers mean something only behind it.
///
/// # Errors
/// On an architecture seccompiler does not know, or where it does not begin so.
pub(super) fn compiled(rules: BTreeMap<i64, Vec<SeccompRule>>, action: SeccompAction) -> Result<Vec<libc::sock_filter>> {
    let arch = TargetArch::try_from(std::env::consts::ARCH).context("choose the architecture of the filter")?;
    let filter = SeccompFilter::new(rules, SeccompAction::Allow, action, arch).context("assemble the filter")?;
    let compiled: BpfProgram = filter.try_into().context("compile the filter")?;
    ensure!(
        compiled.len() > 4 && compiled[2].code == RETURN && compiled[2].k == libc::SECCOMP_RET_KILL_PROCESS,
        "the compiled filter does not begin with the check of the architecture"
    );
    Ok(compiled.iter().map(|step| libc::sock_filter { code: step.code, jt: step.jt, jf: step.jf, k: step.k }).collect())
}

/// Calls that do not exist for an actor: newer than the table, and the rows that say so. Before them x32, which the gate records.
fn absent() -> Vec<libc::sock_filter> {
    // struct seccomp_data starts with the number.
    let load_number = libc::sock_filter { code: (libc::BPF_LD | libc::BPF_W | libc::BPF_ABS) as u16, jt: 0, jf: 0, k: 0 };
    let unless = |test: u32, k: u32| libc::sock_filter { code: (libc::BPF_JMP | test | libc::BPF_K) as u16, jt: 0, jf: 1, k };
    let mut steps = vec![load_number];
    // Every number with that bit but not the sign: -1 is nobody's call, and ENOSYS for everybody.
    if let Some(range) = X32 {
        let unheard_of = libc::sock_filter { code: (libc::BPF_JMP | libc::BPF_JGT | libc::BPF_K) as u16, jt: 2, jf: 0, k: range.end - 1 };
        let below = libc::sock_filter { code: (libc::BPF_JMP | libc::BPF_JGE | libc::BPF_K) as u16, jt: 0, jf: 1, k: range.start };
        steps.extend([unheard_of, below, ret(libc::SECCOMP_RET_USER_NOTIF)]);
    }
    steps.extend([unless(libc::BPF_JGT, LAST_KNOWN), ret(NOT_IMPLEMENTED)]);
    for row in table().iter().filter(|row| row.treatment == Treatment::Absent) {
        steps.extend([unless(libc::BPF_JEQ, row.number as u32), ret(NOT_IMPLEMENTED)]);
    }
    steps
}

pub(super) fn ret(action: u32) -> libc::sock_filter {
    libc::sock_filter { code: RETURN, jt: 0, jf: 0, k: action }
}

/// A row's tests in seccompiler's form: any of the rules, all of a rule's conditions; no rule at all means always.
fn rules_of(row: &Row, pass: &Pass) -> Result<Vec<SeccompRule>> {
    if row.number == libc::SYS_sendmsg {
        // Notified unless all three words are right: any wrong one suffices.
        let wrong = |at: usize| rule(vec![condition(3 + at as u8, Width::Qword, Is::Ne, pass.words[at])?]);
        return (0..3).map(wrong).collect();
    }
    rules_when(row.when)
}

/// The same of a test alone.
fn rules_when(when: When) -> Result<Vec<SeccompRule>> {
    if when == When::Always {
        return Ok(Vec::new());
    }
    alternatives(when)?.into_iter().map(rule).collect()
}

/// The test as a list of alternatives, each a list of conditions that must all hold.
fn alternatives(when: When) -> Result<Vec<Vec<SeccompCondition>>> {
    Ok(match when {
        When::Always => vec![Vec::new()],
        When::Equals { index, value, dword } => {
            let width = if dword { Width::Dword } else { Width::Qword };
            vec![vec![condition(index, width, Is::Eq, value)?]]
        }
        When::NoneOf { index, values } => {
            // Compiled from the last to the first: so the first are looked at first.
            vec![values.iter().rev().map(|value| condition(index, Width::Dword, Is::Ne, u64::from(*value))).collect::<Result<_>>()?]
        }
        When::NonZero { index } => vec![vec![condition(index, Width::Qword, Is::Ne, 0)?]],
        When::AnyBit { index, mask } => (0..u64::BITS)
            .map(|bit| 1_u64 << bit)
            .filter(|bit| mask & bit != 0)
            .map(|bit| Ok(vec![condition(index, Width::Qword, Is::MaskedEq(bit), bit)?]))
            .collect::<Result<_>>()?,
        When::All(tests) => {
            let mut all = vec![Vec::new()];
            for test in tests {
                let options = alternatives(*test)?;
                all = all.iter().flat_map(|so_far| options.iter().map(|option| [so_far.as_slice(), option].concat())).collect();
            }
            all
        }
    })
}

pub(super) fn condition(index: u8, width: Width, is: Is, value: u64) -> Result<SeccompCondition> {
    SeccompCondition::new(index, width, is, value).context("state a condition of the filter")
}

pub(super) fn rule(conditions: Vec<SeccompCondition>) -> Result<SeccompRule> {
    SeccompRule::new(conditions).context("state a rule of the filter")
}

#[cfg(test)]
mod tests;
