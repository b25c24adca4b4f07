//! System calls made by a stopped tracee on our behalf: registers and two bytes of code are borrowed, one instruction is stepped, and
//! everything is put back. In: a process at the exit of its `execve`. Out: results of calls that ran inside it.

use std::io;

use crate::sys::tracee;
use crate::sys::wait::{Change, wait};

#[cfg(target_arch = "aarch64")]
mod aarch64;
#[cfg(target_arch = "x86_64")]
mod x86_64;

#[cfg(target_arch = "aarch64")]
use aarch64 as arch;
#[cfg(target_arch = "x86_64")]
use x86_64 as arch;

/// A stopped process with its registers and the word of code at its instruction pointer saved.
pub struct Borrowed {
    pid: i32,
    saved: libc::user_regs_struct,
    code: u64,
    /// A signal that arrived meanwhile; delivered when the process is let go.
    pending: i32,
}

impl Borrowed {
    /// Saves the state of `pid`, which is stopped at the exit of its `execve`, and puts the system-call instruction in place.
    ///
    /// # Errors
    /// `ENOEXEC` for a 32-bit program; otherwise the errno of ptrace.
    pub fn new(pid: i32) -> io::Result<Self> {
        let saved = tracee::registers(pid)?;
        if !arch::is_native(&saved) {
            return Err(io::Error::from_raw_os_error(libc::ENOEXEC));
        }
        let at = arch::instruction_pointer(&saved);
        let mut code = [0; 8];
        if crate::sys::memory::read(pid as u32, at, &mut code)? != code.len() {
            return Err(io::Error::from_raw_os_error(libc::EFAULT));
        }
        let code = u64::from_ne_bytes(code);
        tracee::poke(pid, at, arch::with_syscall_instruction(code))?;
        Ok(Borrowed { pid, saved, code, pending: 0 })
    }

    /// Where the new program's stack begins: `argc` lies here.
    pub fn stack_pointer(&self) -> u64 {
        arch::stack_pointer(&self.saved)
    }

    /// Runs one system call in the process. The outer error is ours (ptrace), the inner one the call's errno.
    ///
    /// # Errors
    /// `ESRCH` when the process died under our hands.
    pub fn call(&mut self, number: i64, args: [u64; 6]) -> io::Result<Result<u64, i32>> {
        let mut registers = self.saved;
        arch::set_call(&mut registers, number as u64, args);
        tracee::set_registers(self.pid, &registers)?;
        let after = arch::instruction_pointer(&self.saved) + arch::INSTRUCTION_BYTES;
        loop {
            tracee::step(self.pid)?;
            match wait(self.pid, false)? {
                Some((_, Change::Signal(libc::SIGTRAP))) => {
                    let now = tracee::registers(self.pid)?;
                    if arch::instruction_pointer(&now) == after {
                        let value = arch::result(&now) as i64;
                        return Ok(if (-4095..0).contains(&value) { Err(-value as i32) } else { Ok(value as u64) });
                    }
                }
                // Not ours: keep it for the program, and step again.
                Some((_, Change::Signal(signal))) => self.pending = signal,
                Some((_, Change::Event { .. } | Change::Syscall)) => {}
                Some((_, Change::Exited(_) | Change::Killed(_))) | None => return Err(io::Error::from_raw_os_error(libc::ESRCH)),
            }
        }
    }

    /// Puts code and registers back; the process stays stopped and traced.
    ///
    /// # Errors
    /// The errno of ptrace.
    pub fn put_back(self) -> io::Result<()> {
        tracee::poke(self.pid, arch::instruction_pointer(&self.saved), self.code)?;
        tracee::set_registers(self.pid, &self.saved)
    }

    /// Puts everything back and detaches: from here on the program runs at full speed.
    ///
    /// # Errors
    /// The errno of ptrace.
    pub fn let_go(self) -> io::Result<()> {
        let (pid, pending) = (self.pid, self.pending);
        self.put_back()?;
        tracee::detach(pid, pending)
    }
}
