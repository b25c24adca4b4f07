//! Threads for what may block: connects that wait for a peer, DNS over TCP. Bounded, so that no actor can make us start thousands.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// At work at once, in the whole run.
const MOST: usize = 64;

#[derive(Clone, Default)]
pub struct Workers {
    busy: Arc<AtomicUsize>,
}

/// All workers are busy, or no thread could be started.
#[derive(Debug)]
pub struct Full;

impl Workers {
    /// Runs `work` on a thread of its own.
    ///
    /// # Errors
    /// [`Full`]; `work` is dropped unrun, and its call must still be answered.
    pub fn run(&self, work: impl FnOnce() + Send + 'static) -> Result<(), Full> {
        let permit = Permit(Arc::clone(&self.busy));
        if self.busy.fetch_add(1, Ordering::Relaxed) >= MOST {
            return Err(Full);
        }
        let thread = std::thread::Builder::new().name("brig-net".into()).spawn(move || {
            let _permit = permit;
            work();
        });
        thread.map(drop).map_err(|_| Full)
    }
}

/// Gives the place back when dropped, also when the work panics or never ran.
struct Permit(Arc<AtomicUsize>);

impl Drop for Permit {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    #[test]
    fn workers_are_bounded_and_come_back() {
        let workers = Workers::default();
        let (release, wait) = mpsc::channel::<()>();
        let wait = Arc::new(std::sync::Mutex::new(wait));
        for _ in 0..MOST {
            let wait = Arc::clone(&wait);
            workers.run(move || drop(wait.lock().map(|wait| wait.recv()))).unwrap();
        }
        assert!(workers.run(|| ()).is_err());
        drop(release);
        let done = std::time::Instant::now() + std::time::Duration::from_secs(10);
        while workers.busy.load(Ordering::Relaxed) > 0 && std::time::Instant::now() < done {
            std::thread::yield_now();
        }
        assert!(workers.run(|| ()).is_ok());
    }
}
