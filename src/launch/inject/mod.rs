//! System calls made by a stopped tracee on our behalf: registers and a few bytes of code are borrowed, one instruction is stepped or a
//! short loop is run, and everything is put back. In: a process at the exit of its `execve`. Out: results of calls that ran inside it.
//!
//! Each stop is two switches between processes, and on a busy machine each of those may wait for somebody's time slice. So several
//! calls are made between two stops where the architecture has a loop for it.

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

/// A stopped process with its registers and the code at its instruction pointer saved.
pub struct Borrowed {
    pid: i32,
    saved: libc::user_regs_struct,
    /// As much of the code as the loop would cover, where it can be read; one word at least.
    code: Vec<u64>,
    /// A signal that arrived meanwhile; delivered when the process is let go.
    pending: i32,
}

/// One system call to make.
pub struct Request {
    /// For errors.
    pub name: &'static str,
    pub number: i64,
    pub args: [u64; 6],
}

/// Words of an entry in the loop's table: number, arguments, result.
const ENTRY: usize = 8;
const WORD: usize = size_of::<u64>();

/// Bytes of scratch memory that `count` requests need.
pub const fn table_bytes(count: usize) -> usize {
    count * ENTRY * WORD
}

impl Borrowed {
    /// Saves the state of `pid`, which is stopped at the exit of its `execve`.
    ///
    /// # Errors
    /// `ENOEXEC` for a 32-bit program; otherwise the errno of ptrace.
    pub fn new(pid: i32) -> io::Result<Self> {
        let saved = tracee::registers(pid)?;
        if !arch::is_native(&saved) {
            return Err(io::Error::from_raw_os_error(libc::ENOEXEC));
        }
        let mut code = [0; if arch::LOOP.len() > WORD { arch::LOOP.len() } else { WORD }];
        let have = crate::sys::memory::read(pid as u32, arch::instruction_pointer(&saved), &mut code)?;
        let code = words(&code[..have]);
        if code.is_empty() {
            return Err(io::Error::from_raw_os_error(libc::EFAULT));
        }
        Ok(Borrowed { pid, saved, code, pending: 0 })
    }

    /// Where the new program's stack begins: `argc` lies here.
    pub fn stack_pointer(&self) -> u64 {
        arch::stack_pointer(&self.saved)
    }

    /// Makes the calls in their order until one fails. `table` is scratch memory of [`table_bytes`]. The outer error is ours (ptrace), the
    /// inner one the name of the call that failed and its errno.
    ///
    /// # Errors
    /// `ESRCH` when the process died under our hands.
    pub fn run(&mut self, requests: &[Request], table: u64) -> io::Result<Result<Vec<u64>, (&'static str, i32)>> {
        // A program that ends right behind its first instructions leaves no room for the loop.
        if arch::LOOP.is_empty() || self.code.len() * WORD < arch::LOOP.len() {
            return self.step_through(requests);
        }
        // What is never made counts as failed.
        let unmade = (-i64::from(libc::ENOSYS)) as u64;
        let words_of = |request: &Request| [&[request.number as u64][..], &request.args, &[unmade]].concat();
        let entries: Vec<u8> = requests.iter().flat_map(words_of).flat_map(u64::to_ne_bytes).collect();
        crate::sys::memory::write(self.pid as u32, table, &entries)?;
        self.poke(&words(&arch::LOOP))?;
        let mut registers = self.saved;
        arch::set_loop(&mut registers, table, requests.len() as u64);
        tracee::set_registers(self.pid, &registers)?;
        self.until(arch::LOOP_END, |pid| tracee::resume(pid, 0))?;
        let mut entries = vec![0; entries.len()];
        if crate::sys::memory::read(self.pid as u32, table, &mut entries)? != entries.len() {
            return Err(io::Error::from_raw_os_error(libc::EFAULT));
        }
        let results = words(&entries);
        let results = results.chunks_exact(ENTRY).map(|entry| outcome(entry[ENTRY - 1]));
        Ok(requests.iter().zip(results).map(|(request, result)| result.map_err(|errno| (request.name, errno))).collect())
    }

    fn step_through(&mut self, requests: &[Request]) -> io::Result<Result<Vec<u64>, (&'static str, i32)>> {
        self.poke(&[arch::with_syscall_instruction(self.code[0])])?;
        let mut results = Vec::new();
        for request in requests {
            let mut registers = self.saved;
            arch::set_call(&mut registers, request.number as u64, request.args);
            tracee::set_registers(self.pid, &registers)?;
            let now = self.until(arch::INSTRUCTION_BYTES, tracee::step)?;
            match outcome(arch::result(&now)) {
                Ok(value) => results.push(value),
                Err(errno) => return Ok(Err((request.name, errno))),
            }
        }
        Ok(Ok(results))
    }

    /// Lets the process run as `go` says until it has trapped `beyond` bytes behind where it began.
    fn until(&mut self, beyond: u64, go: impl Fn(i32) -> io::Result<()>) -> io::Result<libc::user_regs_struct> {
        let end = arch::instruction_pointer(&self.saved) + beyond;
        loop {
            go(self.pid)?;
            match wait(self.pid, false)? {
                Some((_, Change::Signal(libc::SIGTRAP))) => {
                    let now = tracee::registers(self.pid)?;
                    if arch::instruction_pointer(&now) == end {
                        return Ok(now);
                    }
                }
                // Not ours: keep it for the program, and go on.
                Some((_, Change::Signal(signal))) => self.pending = signal,
                Some((_, Change::Event { .. } | Change::Syscall)) => {}
                Some((_, Change::Exited(_) | Change::Killed(_))) | None => return Err(io::Error::from_raw_os_error(libc::ESRCH)),
            }
        }
    }

    fn poke(&self, code: &[u64]) -> io::Result<()> {
        let addresses = (arch::instruction_pointer(&self.saved)..).step_by(WORD);
        addresses.zip(code).try_for_each(|(address, word)| tracee::poke(self.pid, address, *word))
    }

    /// Puts code and registers back; the process stays stopped and traced.
    ///
    /// # Errors
    /// The errno of ptrace.
    pub fn put_back(self) -> io::Result<()> {
        self.poke(&self.code)?;
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

/// The call that `pid` is stopped before will not be made: it fails with `errno`.
///
/// # Errors
/// The errno of ptrace.
pub fn skip(pid: i32, errno: i32) -> io::Result<()> {
    let mut registers = tracee::registers(pid)?;
    arch::set_skipped(&mut registers, errno);
    #[cfg(target_arch = "aarch64")]
    tracee::set_call_number(pid, -1)?;
    tracee::set_registers(pid, &registers)
}

fn words(bytes: &[u8]) -> Vec<u64> {
    bytes.chunks_exact(WORD).map(|word| u64::from_ne_bytes(word.try_into().expect("eight bytes"))).collect()
}

/// What a call returned.
fn outcome(value: u64) -> Result<u64, i32> {
    let signed = value as i64;
    if (-4095..0).contains(&signed) { Err(-signed as i32) } else { Ok(value) }
}
