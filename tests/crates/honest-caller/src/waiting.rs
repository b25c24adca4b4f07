//! A signal with a handler ends a wait, and many may wait at once.

use std::time::Duration;

use crate::c::*;

fn fifo(name: &str) -> CString {
    let fifo = path(&place("fifo").join(name));
    assert_eq!(unsafe { mkfifo(fifo.as_ptr(), 0o600) }, 0);
    fifo
}

/// Signals the calling thread, again and again until it is stopped: a signal that comes before the call changes nothing.
pub fn signalled<T>(wait: impl FnOnce() -> T) -> T {
    let thread = unsafe { pthread_self() };
    let (stop, stopped) = std::sync::mpsc::channel::<()>();
    let signals = std::thread::spawn(move || {
        while stopped.recv_timeout(Duration::from_millis(100)).is_err_and(|error| error == std::sync::mpsc::RecvTimeoutError::Timeout) {
            unsafe { pthread_kill(thread, SIGUSR1) };
        }
    });
    let result = wait();
    drop(stop);
    signals.join().unwrap();
    result
}

#[test]
fn a_signal_ends_an_open() {
    let fifo = fifo("interrupted");
    let one = child(|| {
        handle(SIGUSR1, 0);
        let ended = signalled(|| unsafe { (open(fifo.as_ptr(), O_RDONLY), errno()) });
        (ended != (-1, EINTR)) as i32
    });
    assert_eq!(ends(one), 0);
    // Nobody was let in meanwhile.
    assert_eq!(unsafe { open(fifo.as_ptr(), O_WRONLY | O_NONBLOCK) }, -1);
}

#[test]
fn a_signal_with_another_handler_does_not() {
    let fifo = fifo("restarted");
    let one = child(|| {
        handle(SIGUSR1, SA_RESTART);
        let writer = fifo.clone();
        let late = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(400));
            unsafe { open(writer.as_ptr(), O_WRONLY) }
        });
        let opened = signalled(|| unsafe { open(fifo.as_ptr(), O_RDONLY) });
        !(opened >= 0 && late.join().unwrap() >= 0) as i32
    });
    assert_eq!(ends(one), 0);
}

#[test]
fn a_signal_ends_a_connect() {
    let mut address = [0u8; 110];
    address[0] = 1;
    let name = path(&place("connect").join("full"));
    let name = name.as_bytes_with_nul();
    address[2..2 + name.len()].copy_from_slice(name);
    let (at, length) = (address.as_ptr().cast(), 2 + name.len() as c_uint);
    let one = child(|| unsafe {
        let server = socket(1, 1, 0);
        assert!(bind(server, at, length) == 0 && listen(server, 0) == 0);
        // Until there is no room.
        while connect(socket(1, 1 | O_NONBLOCK, 0), at, length) == 0 {}
        handle(SIGUSR1, 0);
        let ended = signalled(|| (connect(socket(1, 1, 0), at, length), errno()));
        (ended != (-1, EINTR)) as i32
    });
    assert_eq!(ends(one), 0);
}

#[test]
fn forty_wait_at_once() {
    let fifos: Vec<CString> = (0..40).map(|n| fifo(&format!("many{n}"))).collect();
    let readers: Vec<_> =
        fifos.iter().cloned().map(|fifo| std::thread::spawn(move || unsafe { (open(fifo.as_ptr(), O_RDONLY), errno()) })).collect();
    for fifo in &fifos {
        assert!(unsafe { open(fifo.as_ptr(), O_WRONLY) } >= 0, "{}", errno());
    }
    readers.into_iter().for_each(|reader| assert!(reader.join().unwrap().0 >= 0));
}
