//! The stack the kernel lays out for a new program: `argc argv… NULL envp… NULL auxv…` and above it the strings. Read whole, and edited
//! before the first instruction runs, so that a withheld variable is gone for good, from `getenv` and from `/proc/self/environ`.

use std::ffi::{OsStr, OsString};
use std::io;
use std::ops::Range;
use std::os::unix::ffi::{OsStrExt, OsStringExt};

use crate::sys::memory;

const WORD: usize = size_of::<u64>();
/// ARG_MAX is at most 6 MiB on Linux (execve(2)); anything larger is not a stack the kernel made.
const LARGEST: usize = 8 << 20;

/// An image of the new stack from `argc` to its end.
pub struct InitialStack {
    base: u64,
    image: Vec<u8>,
    argv: Vec<OsString>,
    /// `NAME=value` strings as offsets into `image`, in order.
    env: Vec<Range<usize>>,
    /// Offset of the first `envp` pointer.
    envp: usize,
    /// The auxiliary vector, its terminating pair included.
    auxv: Range<usize>,
    /// The path that was given to execve, as it was given (`AT_EXECFN`, getauxval(3)).
    called: Option<OsString>,
}

/// What becomes of one variable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Edit {
    Keep,
    Remove,
    /// A new value, at most as long as the old one.
    Replace(OsString),
}

impl InitialStack {
    /// Reads the stack of `pid`, whose stack pointer is `base` and stands at `argc`.
    ///
    /// # Errors
    /// When the memory cannot be read, or is not laid out as execve leaves it.
    pub fn read(pid: i32, base: u64) -> io::Result<Self> {
        let mut image = Vec::new();
        loop {
            let have = image.len();
            let chunk = if have == 0 { 64 << 10 } else { 1 << 20 };
            image.resize(have + chunk, 0);
            let got = match memory::read(pid as u32, base.wrapping_add(have as u64), &mut image[have..]) {
                Ok(got) => got,
                Err(error) if have == 0 => return Err(error),
                Err(_) => 0,
            };
            image.truncate(have + got);
            if got < chunk {
                break;
            }
            if image.len() > LARGEST {
                return Err(malformed());
            }
        }
        Self::parse(base, image)
    }

    pub(crate) fn parse(base: u64, image: Vec<u8>) -> io::Result<Self> {
        let word = |at: usize| -> io::Result<u64> {
            let bytes = image.get(at..at + WORD).ok_or_else(malformed)?;
            Ok(u64::from_ne_bytes(bytes.try_into().expect("eight bytes")))
        };
        // execve lays the strings out one after the other: no two share bytes, so all of them together are no longer than the image.
        let mut free = 0;
        let mut string = |address: u64| -> io::Result<Range<usize>> {
            let start = usize::try_from(address.checked_sub(base).ok_or_else(malformed)?).map_err(|_| malformed())?;
            let rest = image.get(start..).filter(|_| start >= free).ok_or_else(malformed)?;
            let length = rest.iter().position(|&byte| byte == 0).ok_or_else(malformed)?;
            free = start + length + 1;
            Ok(start..start + length)
        };
        let mut strings = |mut at: usize| -> io::Result<(Vec<Range<usize>>, usize)> {
            let mut found = Vec::new();
            loop {
                let pointer = word(at)?;
                at += WORD;
                if pointer == 0 {
                    return Ok((found, at));
                }
                found.push(string(pointer)?);
            }
        };
        let (argv, envp) = strings(WORD)?;
        let (env, auxv) = strings(envp)?;
        let (mut end, mut called) = (auxv, None);
        loop {
            let (tag, value) = (word(end)?, word(end + WORD)?);
            end += 2 * WORD;
            match tag {
                libc::AT_NULL => break,
                // execve lays it out behind all others (`copy_string_kernel(bprm->filename)` comes first, from the top down; fs/exec.c).
                libc::AT_EXECFN => called = Some(string(value)?),
                _ => {}
            }
        }
        let called = called.map(|range| OsString::from_vec(image[range].to_vec()));
        let argv = argv.into_iter().map(|range| OsString::from_vec(image[range].to_vec())).collect();
        Ok(InitialStack { base, argv, env, envp, auxv: auxv..end, called, image })
    }

    pub fn argv(&self) -> &[OsString] {
        &self.argv
    }

    /// The path given to execve, before any link of it was followed; of a script its own, not its interpreter's. Every kernel says it.
    pub fn called(&self) -> Option<&OsStr> {
        self.called.as_deref()
    }

    /// The auxiliary vector as it lies there.
    #[cfg(test)]
    pub(crate) fn auxiliary(&self) -> &[u8] {
        &self.image[self.auxv.clone()]
    }

    /// Variables in order, duplicates included. A string without `=` is a name with an empty value.
    pub fn env(&self) -> impl Iterator<Item = (&OsStr, &OsStr)> {
        self.env.iter().map(|range| {
            let text = &self.image[range.clone()];
            let cut = text.iter().position(|&byte| byte == b'=').unwrap_or(text.len());
            (OsStr::from_bytes(&text[..cut]), OsStr::from_bytes(text.get(cut + 1..).unwrap_or_default()))
        })
    }

    /// Has the new program find no vDSO (`AT_SYSINFO_EHDR`, vdso(7)): the C library reads the time by system calls then. It is still mapped, and found
    /// by who looks for it in `/proc/self/maps`.
    ///
    /// # Errors
    /// When the memory cannot be written.
    pub fn hide_vdso(&mut self, pid: i32) -> io::Result<()> {
        for at in self.auxv.clone().step_by(2 * WORD) {
            let tag = &mut self.image[at..at + WORD];
            if *tag == libc::AT_SYSINFO_EHDR.to_ne_bytes() {
                // `AT_IGNORE`, which is 1 on every architecture (getauxval(3)).
                tag.copy_from_slice(&libc::AT_IGNORE.to_ne_bytes());
                memory::write(pid as u32, self.base + at as u64, &libc::AT_IGNORE.to_ne_bytes())?;
            }
        }
        Ok(())
    }

    /// Applies one edit per variable (in the order of [`InitialStack::env`]) and writes what changed back to `pid`.
    ///
    /// Pointers of removed variables are taken out of `envp`, and the auxiliary vector moves down behind them: two NULLs in a row
    /// would make the loader find an empty one. The strings themselves are zeroed.
    ///
    /// # Errors
    /// When the memory cannot be written, or a replacement is longer than what it replaces.
    pub fn edit(&mut self, pid: i32, edits: &[Edit]) -> io::Result<()> {
        assert_eq!(edits.len(), self.env.len(), "one edit per variable");
        if edits.iter().all(|edit| *edit == Edit::Keep) {
            return Ok(());
        }
        let mut kept = Vec::new();
        for (index, (range, edit)) in self.env.iter().zip(edits).enumerate() {
            let pointer = self.envp + index * WORD..self.envp + (index + 1) * WORD;
            let value = match edit {
                Edit::Keep => {
                    kept.extend_from_slice(&self.image[pointer]);
                    continue;
                }
                Edit::Remove => &[][..],
                Edit::Replace(value) => {
                    kept.extend_from_slice(&self.image[pointer]);
                    value.as_bytes()
                }
            };
            let text = &mut self.image[range.clone()];
            let start = match edit {
                Edit::Remove => 0,
                _ => text.iter().position(|&byte| byte == b'=').map_or(text.len(), |cut| cut + 1),
            };
            let room = &mut text[start..];
            let (new, rest) = room.split_at_mut_checked(value.len()).ok_or_else(|| io::Error::from_raw_os_error(libc::E2BIG))?;
            new.copy_from_slice(value);
            rest.fill(0);
            memory::write(pid as u32, self.base + range.start as u64, &self.image[range.clone()])?;
        }
        let mut block = kept;
        block.extend_from_slice(&[0; WORD]);
        block.extend_from_slice(&self.image[self.auxv.clone()]);
        block.resize(self.auxv.end - self.envp, 0);
        memory::write(pid as u32, self.base + self.envp as u64, &block)
    }
}

fn malformed() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "the new program's stack is not laid out as execve leaves it")
}

#[cfg(test)]
mod tests {
    use super::*;

    const BASE: u64 = 0x7000;

    /// Lays out a stack as execve does.
    fn stack(argv: &[&str], env: &[&str]) -> Vec<u8> {
        let words = 1 + argv.len() + 1 + env.len() + 1 + 6;
        let mut at = BASE + (words * WORD) as u64;
        let mut pointers = vec![argv.len() as u64];
        let mut strings = Vec::new();
        for list in [argv, env] {
            for text in list {
                pointers.push(at);
                at += text.len() as u64 + 1;
                strings.extend_from_slice(text.as_bytes());
                strings.push(0);
            }
            pointers.push(0);
        }
        pointers.extend([libc::AT_PAGESZ, 4096, libc::AT_EXECFN, at, libc::AT_NULL, 0]);
        strings.extend_from_slice(b"./called\0");
        pointers.iter().flat_map(|word| word.to_ne_bytes()).chain(strings).collect()
    }

    #[test]
    fn reads_arguments_and_variables() {
        let initial = InitialStack::parse(BASE, stack(&["rustc", "-vV"], &["A=1", "B", "C=x=y"])).unwrap();
        assert_eq!(initial.argv(), ["rustc", "-vV"]);
        let env: Vec<_> = initial.env().map(|(name, value)| (name.to_str().unwrap(), value.to_str().unwrap())).collect();
        assert_eq!(env, [("A", "1"), ("B", ""), ("C", "x=y")]);
        assert_eq!(initial.auxv.len(), 6 * WORD);
        assert_eq!(initial.called(), Some(OsStr::new("./called")));
    }

    #[test]
    fn refuses_what_execve_never_leaves() {
        for cut in [0, 4, 8, 40] {
            let mut image = stack(&["x"], &["A=1"]);
            image.truncate(cut);
            assert!(InitialStack::parse(BASE, image).is_err(), "cut at {cut}");
        }
        // A name of the program that lies nowhere.
        let mut image = stack(&["x"], &["A=1"]);
        image[8 * WORD..9 * WORD].copy_from_slice(&u64::MAX.to_ne_bytes());
        assert!(InitialStack::parse(BASE, image).is_err(), "outside");
        // Many pointers at one string: a copy for each would be without bound.
        let mut image = stack(&["x", "y"], &["A=1"]);
        image.copy_within(8..16, 16);
        assert!(InitialStack::parse(BASE, image).is_err(), "shared");
    }

    #[test]
    fn edits_reach_the_process() {
        let pid = std::process::id() as i32;
        let mut place = stack(&["x"], &["KEEP=1", "TOKEN=CANARY", "TMPDIR=/long/path"]);
        let base = place.as_mut_ptr() as u64;
        // The image must point into itself at its real address.
        for word in 0..(1 + 2 + 4 + 6) {
            let at = word * WORD;
            let value = u64::from_ne_bytes(place[at..at + WORD].try_into().unwrap());
            if (BASE..BASE + 0x1000).contains(&value) {
                place[at..at + WORD].copy_from_slice(&(value - BASE + base).to_ne_bytes());
            }
        }
        let mut initial = InitialStack::parse(base, place.clone()).unwrap();
        initial.edit(pid, &[Edit::Keep, Edit::Remove, Edit::Replace("/t".into())]).unwrap();
        let mut seen = vec![0; place.len()];
        memory::read(pid as u32, base, &mut seen).unwrap();
        let after = InitialStack::parse(base, seen.clone()).unwrap();
        let env: Vec<_> = after.env().map(|(name, value)| (name.to_str().unwrap(), value.to_str().unwrap())).collect();
        assert_eq!(env, [("KEEP", "1"), ("TMPDIR", "/t")]);
        assert_eq!(after.auxv.len(), 6 * WORD, "the auxiliary vector moved along");
        assert!(!seen.windows(6).any(|window| window == b"CANARY"), "the value is gone from memory");
        assert!(initial.edit(pid, &[Edit::Keep, Edit::Keep, Edit::Replace("/longer/than/the/old".into())]).is_err());
    }
}
