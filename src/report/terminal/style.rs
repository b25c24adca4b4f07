//! How lines look on the terminal: how much is said, colours, the place of a verb, and how names are quoted.

use std::io::{self, Write};

use super::wrap::wrap;

/// Where the text of a status line begins.
const INDENT: usize = 13;

pub use super::super::wording::QUOTED as MEDIUM;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Verbosity {
    /// Findings and what weakens them, nothing else.
    Quiet,
    #[default]
    Normal,
    /// Also `info` findings and one line per actor.
    Verbose,
}

impl Verbosity {
    /// From `-q` and `-v`, of which the command line grants one.
    pub fn from_switches(quiet: bool, verbose: bool) -> Self {
        match (quiet, verbose) {
            (true, _) => Verbosity::Quiet,
            (_, true) => Verbosity::Verbose,
            _ => Verbosity::Normal,
        }
    }
}

/// How to write; decided by the caller (see `cli::color`), because a renderer knows neither environment nor terminal.
#[derive(Clone, Copy, Debug, Default)]
pub struct Style {
    pub color: bool,
    pub verbosity: Verbosity,
    /// Columns of the terminal; nothing where it is none, and lines are as long as they are.
    pub width: Option<usize>,
}

impl Style {
    /// `text` in an SGR `code`, where colours are wanted.
    pub fn paint(self, code: &str, text: &str) -> String {
        if self.color { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }

    /// A line in cargo's style: the verb right-aligned in twelve columns, and rows below it where the terminal is narrow.
    pub fn status(self, w: &mut dyn Write, code: &str, verb: &str, text: &str) -> io::Result<()> {
        self.rows(w, &format!("{} ", self.paint(code, &format!("{verb:>12}"))), text)
    }

    /// What belongs to the line before it.
    pub fn below(self, w: &mut dyn Write, text: &str) -> io::Result<()> {
        self.rows(w, &" ".repeat(INDENT), text)
    }

    fn rows(self, w: &mut dyn Write, begin: &str, text: &str) -> io::Result<()> {
        wrap(begin, text, INDENT, self.width).iter().try_for_each(|row| writeln!(w, "{row}"))
    }
}

pub const RED: &str = "1;31";
pub const GREEN: &str = "1;32";
pub const YELLOW: &str = "1;33";
pub const BLUE: &str = "1;34";
pub const CYAN: &str = "1;36";
