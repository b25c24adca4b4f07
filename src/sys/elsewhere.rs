//! A thread that does what it is told, for what the kernel decides by who *calls*: it has put itself behind something for good, and whoever
//! tells it waits until it has done it.

use std::any::Any;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Sender, channel};

type Job = Box<dyn FnOnce() + Send>;

/// One such thread. It ends when this is dropped.
pub struct Elsewhere {
    jobs: Sender<Job>,
}

impl Elsewhere {
    /// Starts it; `prepare` is the first thing it does. What the calling thread is behind, it is behind as well.
    ///
    /// # Errors
    /// Those of `prepare`; then there is no thread.
    pub fn start(name: &str, prepare: impl FnOnce() -> io::Result<()> + Send + 'static) -> io::Result<Elsewhere> {
        let (jobs, next) = channel::<Job>();
        let (tell, ready) = channel();
        std::thread::Builder::new().name(name.into()).spawn(move || {
            let prepared = catch_unwind(AssertUnwindSafe(prepare)).unwrap_or_else(|_| Err(io::Error::other("it could not be prepared")));
            let goes_on = prepared.is_ok();
            let _ = tell.send(prepared);
            while goes_on && let Ok(job) = next.recv() {
                job();
            }
        })?;
        ready.recv().map_err(|_| io::Error::other("the thread ended early"))??;
        Ok(Elsewhere { jobs })
    }

    /// Has it do something, and waits for the result.
    ///
    /// # Panics
    /// Where `deed` does.
    pub fn run<T: Send>(&self, deed: impl FnOnce() -> T + Send) -> T {
        let (tell, done) = channel::<Result<T, Box<dyn Any + Send>>>();
        let job: Box<dyn FnOnce() + Send + '_> = Box::new(move || {
            // `deed` is gone, and all it has borrowed let go, before anything is told.
            let result = catch_unwind(AssertUnwindSafe(deed));
            let _ = tell.send(result);
        });
        // SAFETY: only the lifetime changes. The job does not outlive this call: below we wait until it has sent its result, after which it
        // touches nothing borrowed (only `tell`, which is its own), and leave this function earlier in no way. The thread takes jobs for as
        // long as `self` exists, and no job panics; should it be gone all the same, the job comes back to us unrun and is dropped here.
        let job: Job = unsafe { std::mem::transmute::<Box<dyn FnOnce() + Send + '_>, Job>(job) };
        let sent = self.jobs.send(job);
        match (sent, done.recv()) {
            (Ok(()), Ok(Ok(result))) => result,
            (Ok(()), Ok(Err(panic))) => std::panic::resume_unwind(panic),
            _ => unreachable!("the thread lives as long as whoever tells it what to do"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_borrows_and_returns() {
        let there = Elsewhere::start("elsewhere", || Ok(())).unwrap();
        let text = String::from("lent");
        let mut seen = 0;
        let name = there.run(|| {
            seen = text.len();
            std::thread::current().name().map(str::to_owned)
        });
        assert_eq!((name.as_deref(), seen), (Some("elsewhere"), 4));
        assert!(catch_unwind(AssertUnwindSafe(|| there.run(|| panic!("once")))).is_err());
        assert_eq!(there.run(|| 5), 5, "it goes on");
        assert!(Elsewhere::start("x", || Err(io::Error::other("no"))).is_err());
    }
}
