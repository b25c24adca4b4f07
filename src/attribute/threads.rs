//! Which thread to look at: the parent's thread that waits in `vfork` for a child about to exec. In: the child's thread id. Out: the
//! spawner's. Read from `/proc`; nothing is stopped here.

use std::fs;

use super::memory::Memory;
use crate::sys::process::status;

/// A thread found inside a system call, as `/proc/<tid>/syscall` shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct InCall {
    pub number: i64,
    pub args: [u64; 6],
    pub sp: u64,
    pub pc: u64,
}

/// The thread of the parent of `child` that waits for it in a vfork-style clone; `None` when there is no such thread (a plain fork).
///
/// Several threads of one process may be spawning at once, and others may be forking: `/proc/<pid>/task/<tid>/children` says which
/// thread made which child. A kernel may lack that list (`CONFIG_PROC_CHILDREN`); then it is the thread whose new stack (clone's
/// argument, or its own stack for a real `vfork`) lies nearest above the child's stack pointer, since they still share their memory.
pub fn spawner_of(child: u32) -> Option<u32> {
    // The real parent, which ptrace does not change.
    let parent = status(child)?.parent;
    if parent <= 1 || parent == std::process::id() {
        return None;
    }
    let waiting: Vec<(u32, u64)> = fs::read_dir(format!("/proc/{parent}/task"))
        .ok()?
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter_map(|tid| Some((tid, child_stack(tid, &in_call(tid)?)?)))
        .collect();
    let made: Option<Vec<_>> = waiting.iter().map(|&(tid, _)| Some((tid, children_of(parent, tid)?))).collect();
    if let Some(made) = made {
        return made.into_iter().find(|(_, children)| children.contains(&child)).map(|(tid, _)| tid);
    }
    let sp = in_call(child)?.sp;
    waiting.into_iter().filter(|&(_, top)| sp <= top).min_by_key(|&(_, top)| top - sp).map(|(tid, _)| tid)
}

/// The processes this very thread has made.
fn children_of(pid: u32, tid: u32) -> Option<Vec<u32>> {
    let text = fs::read_to_string(format!("/proc/{pid}/task/{tid}/children")).ok()?;
    Some(text.split_ascii_whitespace().filter_map(|word| word.parse().ok()).collect())
}

/// The call a blocked thread is in; `None` when it runs, or is blocked outside a call.
fn in_call(tid: u32) -> Option<InCall> {
    parse_in_call(&fs::read_to_string(format!("/proc/{tid}/syscall")).ok()?)
}

fn parse_in_call(text: &str) -> Option<InCall> {
    let mut words = text.split_ascii_whitespace();
    let number = words.next()?.parse().ok().filter(|&number| number >= 0)?;
    let mut hex = words.map(|word| u64::from_str_radix(word.strip_prefix("0x")?, 16).ok());
    let mut next = || hex.next().flatten();
    let args = [next()?, next()?, next()?, next()?, next()?, next()?];
    Some(InCall { number, args, sp: next()?, pc: next()? })
}

/// Top of the stack that a child made by this call runs on; `None` when the call makes no child its caller waits for.
fn child_stack(tid: u32, call: &InCall) -> Option<u64> {
    #[cfg(target_arch = "x86_64")]
    if call.number == libc::SYS_vfork {
        return Some(call.sp);
    }
    let (flags, stack) = match call.number {
        libc::SYS_clone => (call.args[0], call.args[1]),
        // struct clone_args, clone(2): flags first, stack and its size sixth and seventh.
        libc::SYS_clone3 => {
            let mut memory = Memory::new(tid);
            let mut field = |n: u64| memory.word(call.args[0].checked_add(8 * n)?);
            let stack = field(5)?;
            (field(0)?, if stack == 0 { 0 } else { stack.checked_add(field(6)?)? })
        }
        _ => return None,
    };
    let waits = flags & libc::CLONE_VFORK as u64 != 0;
    waits.then_some(if stack == 0 { call.sp } else { stack })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_is_read_as_proc_writes_it() {
        let call = parse_in_call("56 0x4111 0x7f0010 0x0 0x0 0x0 0x5 0x7ffd00 0x7f1122\n").expect("parses");
        assert_eq!((call.number, call.args[1], call.sp, call.pc), (56, 0x7f0010, 0x7ffd00, 0x7f1122));
        assert_eq!(parse_in_call("running\n"), None);
        assert_eq!(parse_in_call("-1 0x7ffd00 0x7f1122\n"), None);
    }
}
