//! Where inputs come from: a small generator of numbers (splitmix64), and from it choices, bytes, and text made of what has broken
//! renderers, parsers and terminals before.

use crate::model::Hostile;

pub struct Source {
    state: u64,
}

/// Pieces of text that mean something to somebody.
pub const PIECES: [&str; 62] = [
    "\x1b[2K",
    "\x1b]8;;http://x\x07",
    "\x1b]52;c;AAAA\x07",
    "\r",
    "\n",
    "\t",
    "\0",
    "\x7f",
    "\u{9b}31m",
    "\u{85}",
    "\u{2028}",
    "\u{202e}",
    "\u{2066}",
    "\u{200b}",
    "\u{feff}",
    "\u{e0041}",
    "\u{fe0f}",
    "\u{61c}",
    "\n::error::x",
    "::set-env name=x::y",
    "::",
    "##[error]x",
    "##",
    "#",
    "[",
    "%0A::error::",
    "%",
    ":",
    ",",
    "</code>",
    "<script>alert(1)</script>",
    "<img src=//h>",
    "<!--",
    "-->",
    "&lt;",
    "&#10;",
    "\"",
    "' onload=x",
    "`",
    "```\n",
    "|",
    "![x](//h)",
    "[x](http://h)",
    "@team",
    "https://h.example",
    "\\",
    "\\x41",
    "\\x+f",
    "\\u{1b}",
    "\\n",
    "{workspace}",
    "{home}/.ssh",
    "/../",
    "/",
    ".env",
    "\",\"end\":true}",
    "\u{e9}",
    "\u{65e5}\u{672c}",
    "\u{1f980}",
    "a",
    "0",
    "x y",
];

impl Source {
    pub fn new(seed: u64) -> Self {
        Source { state: seed }
    }

    pub fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Less than `limit`; 0 where that is 0.
    pub fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit.max(1) as u64) as usize
    }

    pub fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    pub fn pick<T: Clone>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())].clone()
    }

    pub fn many<T>(&mut self, most: usize, mut make: impl FnMut(&mut Source) -> T) -> Vec<T> {
        (0..self.below(most + 1)).map(|_| make(self)).collect()
    }

    pub fn maybe<T>(&mut self, make: impl FnOnce(&mut Source) -> T) -> Option<T> {
        if self.one_in(2) { Some(make(self)) } else { None }
    }

    /// A number near an edge as often as not.
    pub fn number(&mut self) -> u64 {
        let edge = self.pick(&[0, 1, 2, 7, 8, 0x7f, 0xff, 0x7fff, 0xffff, 0x7fff_ffff, 0xffff_ffff, 1 << 32, i64::MAX as u64, u64::MAX]);
        match self.below(4) {
            0 => edge,
            1 => edge.wrapping_add(self.below(3) as u64).wrapping_sub(1),
            2 => self.below(100) as u64,
            _ => self.next() >> self.below(64),
        }
    }

    pub fn bytes(&mut self, longest: usize) -> Vec<u8> {
        (0..self.below(longest + 1)).map(|_| self.next() as u8).collect()
    }

    /// Text that wants to be something else.
    pub fn text(&mut self) -> String {
        let mut text = String::new();
        for _ in 0..=self.below(6) {
            let piece: &str = self.pick(&PIECES);
            text.push_str(piece);
        }
        if self.one_in(20) {
            text = text.repeat(1 + self.below(200));
        }
        text
    }

    /// The same for places where bytes need not be text.
    pub fn hostile(&mut self) -> Hostile {
        let mut bytes = match self.below(4) {
            0 => self
                .pick(&["/home/u/app/.env", "/proc/4711/mem", "/home/u/app/target/debug/deps/libx-0a1b.so", "sh", "-c"])
                .as_bytes()
                .to_vec(),
            _ => self.text().into_bytes(),
        };
        if self.one_in(4) {
            let at = self.below(bytes.len() + 1);
            bytes.insert(at, self.pick(&[0xff, 0x80, 0xc3, 0xed]));
        }
        Hostile::new(bytes)
    }

    pub fn shuffle<T>(&mut self, list: &mut [T]) {
        for at in (1..list.len()).rev() {
            list.swap(at, self.below(at + 1));
        }
    }
}
