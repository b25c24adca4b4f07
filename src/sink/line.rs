//! A line to a client: what it says can be looked at before it is taken. In: a stream, plain or decrypted. Out: bytes, as they come.

use std::io::{self, Read, Write};
use std::time::Duration;

/// What a conversation is carried by.
pub trait Stream: Read + Write {
    /// How long a read may wait.
    fn wait_at_most(&mut self, limit: Duration);
}

/// Read at once.
const PART: usize = 16 << 10;

pub struct Line<'s> {
    stream: &'s mut dyn Stream,
    held: Vec<u8>,
}

impl<'s> Line<'s> {
    pub fn new(stream: &'s mut dyn Stream) -> Line<'s> {
        Line { stream, held: Vec::new() }
    }

    /// What has come and was not taken.
    pub fn held(&self) -> &[u8] {
        &self.held
    }

    /// Waits for more to hold.
    ///
    /// # Errors
    /// `WouldBlock` or `TimedOut` when nothing came, `UnexpectedEof` at the end, and those of the stream.
    pub fn more(&mut self, limit: Duration) -> io::Result<()> {
        self.stream.wait_at_most(limit);
        let mut part = [0; PART];
        match self.stream.read(&mut part)? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            length => {
                self.held.extend(&part[..length]);
                Ok(())
            }
        }
    }

    /// Takes the first `count` bytes that are held.
    pub fn take(&mut self, count: usize) -> Vec<u8> {
        let rest = self.held.split_off(count.min(self.held.len()));
        std::mem::replace(&mut self.held, rest)
    }
}

impl Read for Line<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.held.is_empty() {
            return self.stream.read(buffer);
        }
        let length = self.held.len().min(buffer.len());
        buffer[..length].copy_from_slice(&self.take(length));
        Ok(length)
    }
}

impl Write for Line<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.stream.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}

impl Stream for Line<'_> {
    fn wait_at_most(&mut self, limit: Duration) {
        self.stream.wait_at_most(limit);
    }
}

#[cfg(test)]
pub mod tests {
    use super::*;

    /// A client that says what it was given, so many bytes at once, and then hangs up.
    pub struct Fed {
        says: Vec<u8>,
        size: usize,
        pub said: Vec<u8>,
    }

    pub fn fed(says: &[u8], size: usize) -> Fed {
        Fed { says: says.to_vec(), size, said: Vec::new() }
    }

    impl Read for Fed {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let length = self.size.min(buffer.len()).min(self.says.len());
            buffer[..length].copy_from_slice(&self.says[..length]);
            self.says.drain(..length);
            Ok(length)
        }
    }

    impl Write for Fed {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.said.extend(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Stream for Fed {
        fn wait_at_most(&mut self, _: Duration) {}
    }

    #[test]
    fn what_was_looked_at_is_read_again() {
        let mut fed = fed(b"one two", 4);
        let mut line = Line::new(&mut fed);
        line.more(Duration::ZERO).unwrap();
        assert_eq!(line.held(), b"one ");
        let mut text = String::new();
        line.read_to_string(&mut text).unwrap();
        assert_eq!(text, "one two");
        assert!(line.more(Duration::ZERO).is_err());
    }
}
