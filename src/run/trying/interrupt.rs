//! Ctrl-C and its kin while a trial runs: the stage that runs is ended, the others are not begun, and what was found is kept. The throw-away is removed in
//! any case.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;

use anyhow::{Context, Result};
use nix::sys::signal::{SigSet, Signal, kill};
use nix::unistd::Pid;

#[derive(Clone, Default)]
pub struct Interrupt {
    came: Arc<AtomicBool>,
    /// Whoever runs now; 0 for nobody.
    child: Arc<AtomicU32>,
}

fn signals() -> SigSet {
    [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP].into_iter().collect()
}

impl Interrupt {
    /// Must be called while there is one thread. Children inherit that these signals wait, and undo it themselves ([`Interrupt::let_through`]).
    ///
    /// # Errors
    /// When no thread can be had.
    pub fn heed() -> Result<Interrupt> {
        let interrupt = Interrupt::default();
        let signals = signals();
        signals.thread_block().context("hold signals back")?;
        let heard = interrupt.clone();
        let listen = move || {
            while signals.wait().is_ok() {
                heard.came.store(true, Ordering::SeqCst);
                let child = heard.child.load(Ordering::SeqCst);
                if child != 0 {
                    let _ = kill(Pid::from_raw(child as i32), Signal::SIGTERM);
                }
            }
        };
        thread::Builder::new().name("signals".into()).spawn(listen).context("start a thread")?;
        Ok(interrupt)
    }

    /// In a child.
    pub fn let_through() {
        let _ = signals().thread_unblock();
    }

    pub fn came(&self) -> bool {
        self.came.load(Ordering::SeqCst)
    }

    /// This child is to be ended; at once, if the signal has come before.
    pub fn watch(&self, child: u32) {
        self.child.store(child, Ordering::SeqCst);
        if self.came() {
            let _ = kill(Pid::from_raw(child as i32), Signal::SIGTERM);
        }
    }

    /// Once more, if it has come.
    pub fn remind(&self) {
        let child = self.child.load(Ordering::SeqCst);
        if self.came() && child != 0 {
            let _ = kill(Pid::from_raw(child as i32), Signal::SIGTERM);
        }
    }

    /// It has been waited for: its number may be another's.
    pub fn unwatch(&self) {
        self.child.store(0, Ordering::SeqCst);
    }
}
