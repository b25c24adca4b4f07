//! Where the decoys' values come from: the kernel's random numbers, so that no two runs and no two places share one. In: nothing. Out: bytes,
//! numbers, texts of an alphabet.

use std::fs::File;
use std::io::{self, Read};

/// How much is asked for at a time: one call for some hundred values.
const POOL: usize = 16 << 10;

pub struct Random {
    source: File,
    pool: Vec<u8>,
}

impl Random {
    /// # Errors
    /// When `/dev/urandom` cannot be opened.
    pub fn new() -> io::Result<Random> {
        Ok(Random { source: File::open("/dev/urandom")?, pool: Vec::new() })
    }

    /// # Errors
    /// When `/dev/urandom` cannot be read; so for all below.
    pub fn bytes(&mut self, length: usize) -> io::Result<Vec<u8>> {
        while self.pool.len() < length {
            let mut more = vec![0; POOL];
            self.source.read_exact(&mut more)?;
            self.pool.append(&mut more);
        }
        Ok(self.pool.split_off(self.pool.len() - length))
    }

    /// Less than `bound`, which is not 0. Slightly uneven, which is of no matter here.
    pub fn below(&mut self, bound: usize) -> io::Result<usize> {
        let word = self.bytes(4)?;
        Ok(word.iter().fold(0, |number, byte| number << 8 | usize::from(*byte)) % bound.max(1))
    }

    pub fn pick<'a, T: ?Sized>(&mut self, among: &[&'a T]) -> io::Result<&'a T> {
        Ok(among[self.below(among.len())?])
    }

    pub fn text(&mut self, alphabet: &str, length: usize) -> io::Result<String> {
        let letters = alphabet.as_bytes();
        Ok(self.bytes(length)?.iter().map(|byte| char::from(letters[usize::from(*byte) % letters.len()])).collect())
    }
}
