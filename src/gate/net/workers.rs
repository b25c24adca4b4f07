//! Threads for what may block: connects that wait for a peer, DNS over TCP. Bounded by the actor's permits, so that no actor can make us
//! start thousands, nor keep others from having theirs.

use crate::gate::permits::Permits;

/// One actor's.
#[derive(Clone, Default)]
pub struct Workers {
    permits: Permits,
}

/// All workers are busy, or no thread could be started.
#[derive(Debug)]
pub struct Full;

impl Workers {
    pub fn of_another(&self) -> Workers {
        Workers { permits: self.permits.of_another() }
    }

    /// Runs `work` on a thread of its own.
    ///
    /// # Errors
    /// [`Full`]; `work` is dropped unrun, and its call must still be answered.
    pub fn run(&self, work: impl FnOnce() + Send + 'static) -> Result<(), Full> {
        let permit = self.permits.take().ok_or(Full)?;
        let thread = std::thread::Builder::new().name("brig-net".into()).spawn(move || {
            let _permit = permit;
            work();
        });
        thread.map(drop).map_err(|_| Full)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Arc, Mutex, mpsc};

    #[test]
    fn workers_are_bounded_and_come_back() {
        let workers = Workers::default();
        let (release, wait) = mpsc::channel::<()>();
        let wait = Arc::new(Mutex::new(wait));
        for _ in 0..Permits::most() {
            let wait = Arc::clone(&wait);
            workers.run(move || drop(wait.lock().map(|wait| wait.recv()))).unwrap();
        }
        assert!(workers.run(|| ()).is_err());
        assert!(workers.of_another().run(|| ()).is_ok());
        drop(release);
        let done = std::time::Instant::now() + std::time::Duration::from_secs(10);
        while workers.permits.taken() > 0 && std::time::Instant::now() < done {
            std::thread::yield_now();
        }
        assert!(workers.run(|| ()).is_ok());
    }
}
