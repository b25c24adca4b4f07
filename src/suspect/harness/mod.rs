//! A program that calls what a crate offers, and programs that expand its macros: what steals when it is called, not when it is built. In: the
//! suspect's sources, read and never run. Out: programs for the throw-away package that depends on it, what they call, and what they do not and why.
//!
//! Whether a generated call compiles is not known before the compiler has said so: types are read as they are written, not as they are meant. So the
//! program is checked, [`Harness::learn`] takes out the calls its errors are about, and it is written again: a call that does not compile costs
//! itself only. Errors come in few waves (names, types, borrows), so a few rounds are enough.

mod asked;
mod calls;
mod diagnostics;
mod expand;
mod expansions;
mod modules;
mod program;
mod record;
mod reduce;
mod returned;
mod surface;
mod values;
mod world;

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::Path;

use calls::Call;
use expansions::Expansion;
use modules::{Library, STACK};
use program::Program;
pub use record::Record;
use world::World;
pub use world::{Names, Neighbours};

/// Of the program that makes calls, below the package.
const CALLS: &str = "examples/calls.rs";
const NOT_MADE: &str = "the program that makes calls did not come to it";

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
    /// What its sources show, and is not there for this machine and these features.
    pub absent: Vec<(String, String)>,
    /// What of the sources could not be read.
    pub unread: Vec<String>,
    /// Macros that it shows, or may, and that nobody knows how to expand: a sentence each.
    pub hidden: Vec<String>,
    calls: Vec<Call>,
    expansions: Vec<Expansion>,
    /// Which of the calls were made, by number, once that is known.
    made: Option<BTreeSet<usize>>,
}

impl Harness {
    /// Reads the sources of the package in `source`, and of its neighbours as far as it shows things of theirs.
    ///
    /// # Errors
    /// When it has no library, or its manifest cannot be read.
    pub fn of(source: &Path, neighbours: &Neighbours) -> io::Result<Harness> {
        let library = Library::of(source)?;
        // Types that nest deep are parsed by functions that call themselves as deep.
        std::thread::scope(|scope| {
            let thread = std::thread::Builder::new().stack_size(STACK).spawn_scoped(scope, || read(&library, neighbours))?;
            thread.join().map_err(|_| io::Error::other("its sources could not be read to their end"))
        })
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
        let (not_called, absent) = (&mut self.not_called, &mut self.absent);
        self.calls.retain(|call| match wrong.next().flatten() {
            Some(message) => {
                count += 1;
                match diagnostics::is_absence(&message, &call.name) {
                    true => absent.push((call.name.clone(), message)),
                    false => not_called.push((call.name.clone(), format!("the call made for it does not compile: {message}"))),
                }
                false
            }
            None => true,
        });
        self.count();
        count
    }

    /// What the compiler said where macros were expanded: those that it does not find were not, whatever sources say.
    pub fn expanded(&mut self, said: &[u8]) {
        let mut absent = expansions::absent(said, &self.expansions);
        let mut at = 0;
        let (absent_macros, hidden) = (&mut self.absent, &mut self.hidden);
        self.expansions.retain_mut(|expansion| {
            let why = absent.remove(&at);
            at += 1;
            match (why, expansion.is_guess) {
                (None, _) => {
                    expansion.is_guess = false;
                    return true;
                }
                (Some(why), false) => absent_macros.push((expansion.name.clone(), why)),
                (Some(_), true) if expansion.is_named => {
                    hidden.extend(expansion.of.as_ref().map(|of| format!("of {of}, which it names in a way that is not understood")));
                }
                (Some(_), true) => {}
            }
            false
        });
        // One of them leads there: then its name is known, and those of the others.
        let (found, all) = (&self.expansions, std::mem::take(&mut self.hidden));
        let is_found = |text: &str| found.iter().filter_map(|one| one.of.as_ref()).any(|of| text.starts_with(&format!("of {of},")));
        self.hidden = all.into_iter().filter(|text| !is_found(text)).collect();
        self.hidden.dedup();
        self.count();
    }

    /// Calls by the numbers that functions of the program have: `c0`, `c1` … as it was written last.
    pub fn numbered(&self) -> Vec<String> {
        self.calls.iter().map(|call| call.name.clone()).collect()
    }

    /// What it said of the calls that it made: what was not begun was not called.
    pub fn ran(&mut self, record: &Record) {
        self.made = Some(record.made.clone());
        let left = self.calls.iter().enumerate().filter(|(at, _)| !record.made.contains(at));
        self.not_called.extend(left.map(|(_, call)| (call.name.clone(), NOT_MADE.to_owned())));
        self.count();
    }

    fn count(&mut self) {
        let made = |at: usize| self.made.as_ref().is_none_or(|made| made.contains(&at));
        let calls = self.calls.iter().enumerate().filter(|(at, _)| made(*at)).map(|(_, call)| call.name.clone());
        let expanded = self.expansions.iter().filter(|expansion| !expansion.is_guess).map(|expansion| expansion.name.clone());
        self.called = calls.chain(expanded).collect();
    }

    /// Gives up the program that makes calls, for a reason.
    pub fn give_up(&mut self, why: &str) {
        self.not_called.extend(self.calls.drain(..).map(|call| (call.name, why.to_owned())));
        self.count();
    }
}

fn read(library: &Library, neighbours: &Neighbours) -> Harness {
    let world = World::of(library, neighbours);
    let surface = surface::surface(&library.name, &world);
    let (expansions, hidden) = expansions::expansions(&library.name, &world, &surface);
    let found = calls::calls(&surface, &surface::implemented(&world));
    let cut = surface.cut.then(|| "what it shows is spread over too many names".to_owned());
    let mut harness = Harness {
        library: library.name.clone(),
        called: Vec::new(),
        not_called: found.not,
        absent: Vec::new(),
        unread: world.told.iter().cloned().chain(cut).collect(),
        hidden,
        calls: found.calls,
        expansions,
        made: None,
    };
    if library.is_macro && harness.expansions.is_empty() {
        harness.not_called.push(("its macros".to_owned(), "none are seen in its sources".to_owned()));
        harness.hidden.push("of its own, of which none are seen in its sources".to_owned());
    }
    harness.count();
    harness
}

fn put(path: &Path, text: &str) -> io::Result<()> {
    let named = |error: io::Error| io::Error::new(error.kind(), format!("write {}: {error}", path.display()));
    path.parent().map_or(Ok(()), fs::create_dir_all).map_err(named)?;
    fs::write(path, text).map_err(named)
}

#[cfg(test)]
mod tests;
