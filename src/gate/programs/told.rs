//! What is said of a call that nothing honest makes: what it was asked for, and of whom. In: register values. Out: words for the record, the same in every run.

use super::signal::program;
use crate::gate::Call;
use crate::model::Hostile;
use crate::model::calls::requests::request;

pub fn told(call: &Call) -> Hostile {
    let asked = request(call.number, &call.args).unwrap_or_default();
    // Whoever asks to be traced names nobody.
    let whom = match call.number {
        libc::SYS_ptrace if call.int(0) != libc::PTRACE_TRACEME as i32 => call.int(1),
        libc::SYS_process_vm_readv | libc::SYS_process_vm_writev => call.int(0),
        _ => 0,
    };
    match u32::try_from(whom) {
        Ok(pid @ 1..) => {
            let of = if asked.is_empty() { "of " } else { " of " };
            Hostile::new([asked.as_bytes(), of.as_bytes(), program(pid).as_bytes()].concat())
        }
        _ => asked.as_str().into(),
    }
}
