//! A walk up one stack, and what it says. In: where a thread stands. Out: `model::Blame`.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::frames::{Caller, Frame};
use super::memory::{Mapping, Memory, mappings};
use super::naming::{self, Named};
use super::objects::{Object, Objects};
use crate::model::{Blame, Candidate, Hostile};

/// Deeper stacks are cut: rustc's own rarely pass 200.
const MAX_FRAMES: usize = 512;
/// However a stack is made, the walk does not take longer than this (plus one step).
const MAX_TIME: Duration = Duration::from_secs(1);
const MAX_CRATES: usize = 32;

/// One frame placed in its object; `address` is the object's own, of the call rather than of the return.
struct Placed {
    mapping: usize,
    object: Arc<Object>,
    address: u64,
}

/// A stack that was climbed; its thread may go on.
pub struct Walk<'a> {
    tid: u32,
    objects: &'a Objects,
    maps: Vec<Mapping>,
    opened: HashMap<usize, Result<Arc<Object>, &'static str>>,
    placed: Vec<Placed>,
    caveat: Option<&'static str>,
}

/// Climbs the stack of thread `tid` from `frame`. The thread must not run meanwhile.
///
/// # Errors
/// When its mappings cannot be read.
pub fn climb(objects: &Objects, tid: u32, frame: Frame) -> Result<Walk<'_>, &'static str> {
    let maps = mappings(tid).ok().filter(|maps| !maps.is_empty()).ok_or("its memory map could not be read")?;
    let mut walk = Walk { tid, objects, maps, opened: HashMap::new(), placed: Vec::new(), caveat: None };
    walk.climb(frame);
    Ok(walk)
}

/// What to say when no stack could be looked at.
pub fn nothing(why: &str) -> Blame {
    Blame { crates: Vec::new(), by: "none".into(), caveat: Some(why.into()) }
}

impl Walk<'_> {
    fn climb(&mut self, mut frame: Frame) {
        let deadline = Instant::now() + MAX_TIME;
        let mut memory = Memory::new(self.tid);
        for _ in 0..MAX_FRAMES {
            if Instant::now() > deadline {
                return self.note("the stack took too long to walk");
            }
            let rule = match self.place(&frame) {
                Some((object, address)) => object.rule(address),
                None => None,
            };
            let caller = match rule {
                Some(rule) => rule.apply(&frame, &mut memory),
                None => {
                    // libc leaves the system call in `clone` without any on purpose; a leaf's caller is certain all the same.
                    if frame.returns {
                        self.note("the stack passes code without unwind information");
                    }
                    frame.caller_by_convention(&mut memory).map_or(Caller::Lost, |caller| Caller::Frame(Box::new(caller)))
                }
            };
            frame = match caller {
                Caller::Frame(next) if self.mapping_of(next.pc).is_some() => *next,
                Caller::Frame(next) if next.pc == 0 => return,
                Caller::Start => return,
                Caller::Frame(_) | Caller::Lost => return self.note("the stack could not be walked to its end"),
            };
        }
        self.note("the stack is deeper than what is walked");
    }

    fn note(&mut self, caveat: &'static str) {
        self.caveat.get_or_insert(caveat);
    }

    fn mapping_of(&self, pc: u64) -> Option<usize> {
        let after = self.maps.partition_point(|m| m.start <= pc);
        let index = after.checked_sub(1)?;
        (pc < self.maps[index].end).then_some(index)
    }

    /// The object a frame lies in and its address there; remembered for naming.
    fn place(&mut self, frame: &Frame) -> Option<(Arc<Object>, u64)> {
        // A return address may lie one past the end of its function: the call is what counts.
        let pc = if frame.returns { frame.pc.checked_sub(1)? } else { frame.pc };
        let index = self.mapping_of(pc)?;
        let (tid, objects, mapping) = (self.tid, self.objects, &self.maps[index]);
        let object = match self.opened.entry(index).or_insert_with(|| objects.get(tid, mapping)) {
            Ok(object) => Arc::clone(object),
            Err(why) => {
                let why = *why;
                self.note(why);
                return None;
            }
        };
        let offset = (pc - self.maps[index].start).checked_add(self.maps[index].offset)?;
        let address = object.address_of_offset(offset)?;
        self.placed.push(Placed { mapping: index, object: Arc::clone(&object), address });
        Some((object, address))
    }

    /// Names the crates that were met, innermost first.
    pub fn name(mut self, by: &'static str) -> Blame {
        let toolchain = self.toolchain();
        let in_compiler = toolchain.is_some();
        let third_party: Vec<bool> =
            self.maps.iter().map(|m| !is_system(&m.path) && !toolchain.as_ref().is_some_and(|t| m.path.starts_with(t))).collect();

        let mut wanted: HashMap<*const Object, (Arc<Object>, Vec<u64>)> = HashMap::new();
        for frame in self.placed.iter().filter(|frame| third_party[frame.mapping]) {
            let entry = wanted.entry(Arc::as_ptr(&frame.object)).or_insert_with(|| (Arc::clone(&frame.object), Vec::new()));
            entry.1.push(frame.address);
        }
        let names: HashMap<_, _> = wanted.into_iter().map(|(key, (object, addresses))| (key, object.names(&addresses))).collect();

        let mut crates: Vec<Candidate> = Vec::new();
        let mut seen_foreign = false;
        let mut by_parameter: Option<Candidate> = None;
        for frame in std::mem::take(&mut self.placed) {
            if !third_party[frame.mapping] {
                continue;
            }
            let Some(names) = names.get(&Arc::as_ptr(&frame.object)) else { continue };
            let named = names.by_address.get(&frame.address).and_then(Option::as_deref);
            if names.stripped {
                self.note(Blame::NO_SYMBOLS);
            }
            let path = &self.maps[frame.mapping].path;
            let library = in_compiler.then(|| path.file_name()?.to_str().and_then(naming::crate_of_file)).flatten();
            seen_foreign = true;
            let Some(candidate) = candidate(named, library, path, names.stripped) else { continue };
            if named.is_some_and(|named| named.by_parameter) {
                by_parameter.get_or_insert(candidate);
                continue;
            }
            if crates.last().is_some_and(|last| last.name == candidate.name && last.object == candidate.object) {
                continue;
            }
            if crates.len() < MAX_CRATES {
                crates.push(candidate);
            }
        }
        if crates.is_empty() && seen_foreign {
            self.note(match by_parameter {
                Some(_) => "optimised: named by the type of a closure that library code runs",
                None => "optimised: no function of a crate is left on the stack",
            });
            crates.extend(by_parameter);
        }
        Blame { crates, by: by.into(), caveat: self.caveat.map(str::to_owned) }
    }

    /// Root of the toolchain, when the process is a compiler: the directory above that of its driver library.
    fn toolchain(&self) -> Option<std::path::PathBuf> {
        let driver =
            self.maps.iter().find(|m| m.path.file_name().is_some_and(|f| f.as_encoded_bytes().starts_with(b"librustc_driver-")))?;
        Some(driver.path.parent()?.parent()?.to_path_buf())
    }
}

/// A frame's crate: by its symbol, or, in a compiler, by the macro's file when that has no symbols at all.
fn candidate(named: Option<&Named>, library: Option<&str>, path: &Path, stripped: bool) -> Option<Candidate> {
    let object = library.map(|_| Hostile::from(path));
    let (name, function) = match (named, library) {
        (Some(named), _) => (named.krate.clone(), Some(Hostile::from(named.function.as_str()))),
        (None, Some(library)) if stripped => (library.to_owned(), None),
        _ => return None,
    };
    Some(Candidate { name, function, object, package: None })
}

/// Where the distribution's own libraries and programs live; crates are not built there. Not all of `/usr`: container images keep
/// cargo's home and even projects below it.
fn is_system(path: &Path) -> bool {
    const TREES: [&str; 11] = [
        "/usr/lib",
        "/usr/lib64",
        "/usr/lib32",
        "/usr/libexec",
        "/usr/bin",
        "/usr/sbin",
        "/lib",
        "/lib64",
        "/bin",
        "/nix/store",
        "/gnu/store",
    ];
    TREES.iter().any(|tree| path.starts_with(tree))
}
