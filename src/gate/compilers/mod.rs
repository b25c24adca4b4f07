//! Compilers proper of the system (`cc1`, `cc1plus`) look for each header in one directory after the other, by opening it: most of those
//! calls find nothing, and each costs two switches between processes and a look of ours. So they ask first. Before such a program begins it is
//! given a library (`image`, `library`) whose `open` asks with `faccessat(2)`, which nobody mediates, whether there is anything; only then it is
//! opened, and the gate judges as ever.
//!
//! That is no hole: the filter stays as it is, and whoever does not ask, or had the answer exchanged, is where every other program is. What an
//! open of nothing would have been told is what `faccessat` is told, by the same walk (path_lookupat, fs/namei.c); and what finds nothing
//! is on no record, whoever tries it.
//!
//! Only for programs that nobody in the build can have written, or loads code into that is not the system's: they lie in trees that are granted
//! whole. Should it not come to it (somebody else traces, another program runs in the end, the stack is not as execve(2) leaves it), nothing is
//! done, and it is slower.

mod image;
pub mod library;
mod stack;

use std::io;
use std::path::Path;

use super::Call;
use super::files::found::Found;
use crate::gate::at_start::{at_start, stack_pointer};
use crate::sys::process::status;
use crate::sys::{memory, tracee};

/// The loader's variable (ld.so(8)).
const VARIABLE: &str = "LD_PRELOAD";
/// Of a new stack, in bytes: looked at first, and at most. Where arguments and variables take more, nothing is done.
const STACK: [usize; 2] = [16 << 10, 512 << 10];

/// Prepares `program`, which the caller is about to execute, if it is one of them. To be called before the call is let go on.
pub fn prepare(call: &Call, program: &Found) {
    let path = program.shown(call);
    if !is_compiler(path.as_path()) || !call.watched.policy.may_pass(path.as_path()) || !library::there() {
        return;
    }
    // A child of ours is waited for by our other threads as well; a sandbox of its own would be asked for what it is not asked now.
    if status(call.tid).is_none_or(|status| status.parent == std::process::id()) || !matches!(call.sandbox(), Ok(None)) {
        return;
    }
    at_start(call.tid, (program.facts.dev, program.facts.ino), 1, give);
}

/// GCC's, which open to find out. Clang's look at directories first.
pub fn is_compiler(program: &Path) -> bool {
    program.file_name().is_some_and(|name| name == "cc1" || name == "cc1plus")
}

fn give(pid: i32) -> io::Result<()> {
    let mut registers = tracee::registers(pid)?;
    let pointer = stack_pointer(&mut registers);
    for size in STACK {
        let mut image = vec![0; size];
        let length = memory::read(pid as u32, *pointer, &mut image)?;
        if let Some((lower, block)) = stack::with_variable(*pointer, &image[..length], VARIABLE, library::NAME) {
            memory::write(pid as u32, lower, &block)?;
            *pointer = lower;
            return tracee::set_registers(pid, &registers);
        }
    }
    Ok(())
}
