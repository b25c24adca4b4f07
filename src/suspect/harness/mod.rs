//! A program that calls what a crate offers, and programs that expand its macros: what steals when it is called, not when it is built. In: the
//! suspect's sources, read and never run. Out: programs for the throw-away package that depends on it, what they call, and what they do not and why.
//!
//! Whether a generated call compiles is not known before the compiler has said so: types are read as they are written, not as they are meant. So the
//! program is checked, [`Harness::learn`] takes out the calls its errors are about, and it is written again: a call that does not compile costs
//! itself only. Errors come in few waves (names, types, borrows), so a few rounds are enough.

mod calls;
mod diagnostics;
mod expand;
mod modules;
mod program;
mod reduce;
mod surface;
mod values;

use std::fs;
use std::io;
use std::path::Path;

use calls::Call;
use expand::Expansion;
use modules::{Library, STACK};
use program::Program;

/// Of the program that makes calls, below the package.
const CALLS: &str = "examples/calls.rs";

/// A program to be built and run, or for macros only built.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// `cargo run --example NAME`
    Calls(String),
    /// `cargo check --test NAME`: that it fails says nothing.
    Expands(String),
}

pub struct Harness {
    /// As code calls the suspect.
    pub library: String,
    /// What is called, or expanded.
    pub called: Vec<String>,
    pub not_called: Vec<(String, String)>,
    /// What of the sources could not be read.
    pub unread: Vec<String>,
    calls: Vec<Call>,
    expansions: Vec<Expansion>,
}

impl Harness {
    /// Reads the sources of the package in `source`.
    ///
    /// # Errors
    /// When it has no library, or its manifest cannot be read.
    pub fn of(source: &Path) -> io::Result<Harness> {
        let library = Library::of(source)?;
        // Types that nest deep are parsed by functions that call themselves as deep.
        let thread = std::thread::Builder::new().stack_size(STACK).spawn(move || read(&library))?;
        thread.join().map_err(|_| io::Error::other("its sources could not be read to their end"))
    }

    /// Programs that [`Harness::write`] writes.
    pub fn targets(&self) -> Vec<Target> {
        let calls = (!self.calls.is_empty()).then(|| Target::Calls("calls".to_owned()));
        let expands = (1..=self.expansions.len()).map(|number| Target::Expands(format!("expand_{number}")));
        calls.into_iter().chain(expands).collect()
    }

    /// Writes them into `app`, a package that depends on the suspect by the name [`Harness::library`].
    ///
    /// # Errors
    /// With the path that could not be written.
    pub fn write(&self, app: &Path) -> io::Result<()> {
        let calls = app.join(CALLS);
        if self.calls.is_empty() {
            let _ = fs::remove_file(&calls);
        } else {
            put(&calls, &Program::of(&self.calls).text)?;
        }
        for (number, expansion) in (1..).zip(&self.expansions) {
            put(&app.join(format!("tests/expand_{number}.rs")), &expansion.text)?;
        }
        Ok(())
    }

    /// Takes out the calls that `messages`, cargo's JSON about the program as it was written last, complain of. How many those are; none may mean
    /// that it compiles.
    pub fn learn(&mut self, messages: &[u8]) -> usize {
        let program = Program::of(&self.calls);
        let mut wrong: Vec<Option<String>> = vec![None; self.calls.len()];
        for (line, message) in diagnostics::errors(messages, CALLS) {
            if let Some(call) = program.call(line) {
                wrong[call].get_or_insert(message);
            }
        }
        let mut count = 0;
        let mut wrong = wrong.into_iter();
        let not_called = &mut self.not_called;
        self.calls.retain(|call| match wrong.next().flatten() {
            Some(message) => {
                count += 1;
                not_called.push((call.name.clone(), format!("the call made for it does not compile: {message}")));
                false
            }
            None => true,
        });
        self.called =
            self.calls.iter().map(|call| call.name.clone()).chain(self.expansions.iter().map(|macros| macros.name.clone())).collect();
        count
    }

    /// Gives up the program that makes calls, for a reason.
    pub fn give_up(&mut self, why: &str) {
        self.not_called.extend(self.calls.drain(..).map(|call| (call.name, why.to_owned())));
        self.called = self.expansions.iter().map(|macros| macros.name.clone()).collect();
    }
}

fn read(library: &Library) -> Harness {
    let (modules, unread) = modules::modules(library);
    let mut harness = Harness {
        library: library.name.clone(),
        called: Vec::new(),
        not_called: Vec::new(),
        unread,
        calls: Vec::new(),
        expansions: Vec::new(),
    };
    if library.is_macro {
        harness.expansions = expand::expansions(&library.name, &modules);
        if harness.expansions.is_empty() {
            harness.not_called.push(("its macros".to_owned(), "none are seen in its sources".to_owned()));
        }
    } else {
        let surface = surface::surface(&library.name, &modules);
        let implemented = surface::implemented(&modules);
        let found = calls::calls(&surface, &implemented);
        (harness.calls, harness.not_called) = (found.calls, found.not);
    }
    harness.learn(b"");
    harness
}

fn put(path: &Path, text: &str) -> io::Result<()> {
    let named = |error: io::Error| io::Error::new(error.kind(), format!("write {}: {error}", path.display()));
    path.parent().map_or(Ok(()), fs::create_dir_all).map_err(named)?;
    fs::write(path, text).map_err(named)
}

#[cfg(test)]
mod tests;
