//! Our words on the two streams. Whoever reads them may go away (`… | head`): that is no failure of ours, and nothing stops for it. In: a stream. Out: one
//! that takes everything, and loses what nobody reads.

use std::io::{self, ErrorKind, IsTerminal, Write};

pub struct Heedless<W>(pub W);

impl<W: Write> Write for Heedless<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self.0.write(bytes) {
            Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(bytes.len()),
            written => written,
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self.0.flush() {
            Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
            flushed => flushed,
        }
    }
}

/// Says something while cargo works, above its progress. A stderr that is gone loses a hint, nothing else.
pub fn meanwhile(say: impl FnOnce(&mut dyn Write) -> io::Result<()>) {
    let mut stderr = io::stderr().lock();
    if stderr.is_terminal() {
        // Cargo's progress stands on this line, and comes again below.
        let _ = stderr.write_all(b"\r\x1b[2K");
    }
    let _ = say(&mut stderr).and_then(|()| stderr.flush());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_reader_that_has_gone_is_forgiven() {
        let (ours, theirs) = nix::unistd::pipe().unwrap();
        drop(ours);
        let mut stream = Heedless(std::fs::File::from(theirs));
        assert!(stream.write_all(&[b'x'; 100_000]).is_ok() && stream.flush().is_ok());
        let mut full = Heedless(std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap());
        assert!(full.write_all(b"x").is_err());
    }
}
