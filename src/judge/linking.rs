//! The words of a linker's command line that make it load code or start another program, or that put another loader into what is linked.
//! In: words, as `gcc`, `clang` or a linker itself takes them. Out: those that steer, and how bad that is.
//!
//! What a word merely adds to the program (`-Tlink.x`, `-l`, `-Wl,-rpath`, object files …) is what a build script is for: it is as free
//! there as in the code it generates. Options are those of GNU ld and gold (`ld --help`), gcc (`gcc(1)`), lld and clang.

use std::os::unix::ffi::OsStrExt;

use crate::judge::paths::{is_clean, within};
use crate::judge::places::Places;
use crate::model::Severity;

/// Trees of programs and libraries that only an administrator, or the user by hand, fills.
const INSTALLED: [&str; 11] =
    ["/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/opt", "/nix/store", "/gnu/store", "/snap", "/run/current-system"];
/// Linkers that gcc and clang know by name and look for where they are installed.
const LINKERS: [&[u8]; 9] = [b"ld", b"bfd", b"gold", b"lld", b"mold", b"wild", b"ld64", b"ld64.lld", b"lld-link"];
/// Specs that come with C libraries for bare metal: gcc looks for them in its own directories first.
const SPECS: [&[u8]; 8] = [
    b"nano.specs",
    b"nosys.specs",
    b"rdimon.specs",
    b"rdpmon.specs",
    b"redboot.specs",
    b"semihost.specs",
    b"picolibc.specs",
    b"picolibcpp.specs",
];
/// `-Bstatic` and the like are ld's own words; as gcc's they would be a directory of that name.
const NO_DIRECTORIES: [&[u8]; 9] = [
    b"static",
    b"dynamic",
    b"symbolic",
    b"symbolic-functions",
    b"symbolic-non-weak-functions",
    b"no-symbolic",
    b"group",
    b"shareable",
    b"-",
];
/// Response files read, bytes they may have together, and words they may come to: one may name itself.
const FILES: usize = 64;
const BYTES: usize = 16 << 20;
const WORDS: usize = 100_000;

/// One or two words that steer a linker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Steer {
    /// Which of the words given: the first and the last of them.
    pub words: (usize, usize),
    pub severity: Severity,
    pub why: &'static str,
}

/// Who reads a word: the compiler's driver, or the linker behind it (`-Wl,`, `-Xlinker`). A driver's word may also be a linker's, where
/// rustc starts the linker itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reader {
    Driver,
    Linker,
}

struct Word {
    reader: Reader,
    text: Vec<u8>,
    /// First and last of the words it came from.
    of: (usize, usize),
}

/// What an option does with its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Effect {
    Loads,
    Starts,
    /// `-fuse-ld=`: a name or a path.
    Chooses,
    Specs,
    /// Starts whatever it is told, and is used for nothing else.
    Wraps,
    /// The linked program is started by this loader, or loads this at its start.
    Interprets,
}

enum Value {
    Here(Vec<u8>),
    Next,
}

/// `file` gives the content of a response file; `None` for one that cannot be read, which then steers in ways nobody knows.
pub fn steers<'w>(
    words: impl IntoIterator<Item = &'w [u8]>,
    places: &Places,
    file: &mut dyn FnMut(&[u8]) -> Option<Vec<u8>>,
) -> Vec<Steer> {
    let mut line = Line { words: Vec::new(), unread: Vec::new(), files: FILES, bytes: BYTES, file };
    line.flatten(&mut words.into_iter().enumerate().map(|(at, word)| ((at, at), word.to_vec())), Reader::Driver);
    let unread = |of: &(usize, usize)| Steer { words: *of, severity: Severity::Medium, why: "a response file that cannot be read" };
    let mut found: Vec<Steer> = line.unread.iter().map(unread).collect();
    let mut at = 0;
    while let Some(word) = line.words.get(at) {
        at += 1;
        let Some((effect, value)) = option(word.reader, &word.text) else { continue };
        let (value, last) = match value {
            Value::Here(value) => (value, word.of.1),
            // Where another reader's word comes in between, nobody knows what the value is: it counts as nothing installed.
            Value::Next => match line.words.get(at).filter(|next| next.reader == word.reader) {
                Some(next) => (next.text.clone(), next.of.1),
                None => (Vec::new(), word.of.1),
            },
        };
        if let Some((severity, why)) = weigh(effect, &value, places) {
            found.push(Steer { words: (word.of.0, last), severity, why });
        }
    }
    found
}

/// A command line as its readers see it.
struct Line<'f> {
    words: Vec<Word>,
    /// Response files that were not read, by the words that name them.
    unread: Vec<(usize, usize)>,
    /// How many more may be read, and how much.
    files: usize,
    bytes: usize,
    file: &'f mut dyn FnMut(&[u8]) -> Option<Vec<u8>>,
}

impl Line<'_> {
    /// `-Wl,a,b` and `-Xlinker a` become the linker's words, response files what is in them. Word by word: whoever wrote them decides how
    /// many there are.
    fn flatten(&mut self, words: &mut dyn Iterator<Item = ((usize, usize), Vec<u8>)>, reader: Reader) {
        while let Some((mut of, text)) = words.next() {
            match (reader, text.as_slice()) {
                (Reader::Driver, b"-Xlinker") => {
                    let Some((next_of, next)) = words.next() else { continue };
                    of.1 = next_of.1;
                    self.take(next, Reader::Linker, of);
                }
                // Words for clang's inner compiler: `-Xclang -load -Xclang x.so`.
                (Reader::Driver, b"-Xclang" | b"-mllvm") => {}
                (Reader::Driver, [b'-', b'W', b'l', b',', rest @ ..]) => {
                    rest.split(|b| *b == b',').for_each(|text| self.take(text.to_vec(), Reader::Linker, of));
                }
                _ => self.take(text, reader, of),
            }
        }
    }

    fn take(&mut self, text: Vec<u8>, reader: Reader, of: (usize, usize)) {
        match text.strip_prefix(b"@").filter(|name| !name.is_empty() && !is_run_path(name)) {
            Some(name) => self.response(name, reader, of),
            None if self.words.len() < WORDS => self.words.push(Word { reader, text, of }),
            None => self.skip(of),
        }
    }

    fn response(&mut self, name: &[u8], reader: Reader, of: (usize, usize)) {
        let content = if self.files > 0 { (self.file)(name) } else { None };
        self.files = self.files.saturating_sub(1);
        match content.filter(|content| content.len() <= self.bytes) {
            Some(content) => {
                self.bytes -= content.len();
                self.flatten(&mut split(&content).map(|word| (of, word)), reader);
            }
            None => self.skip(of),
        }
    }

    fn skip(&mut self, of: (usize, usize)) {
        if self.unread.last() != Some(&of) {
            self.unread.push(of);
        }
    }
}

/// `@rpath/…`, `@loader_path`, `@executable_path`: names of libraries for Apple's loader, which no linker opens as a file.
fn is_run_path(name: &[u8]) -> bool {
    [&b"rpath"[..], b"loader_path", b"executable_path"].iter().any(|word| name.starts_with(word))
}

/// Words of a response file, as libiberty's `buildargv` splits them.
fn split(text: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    let mut bytes = text.iter().copied();
    std::iter::from_fn(move || {
        let (mut word, mut quote) = (None::<Vec<u8>>, None);
        while let Some(byte) = bytes.next() {
            match (byte, quote) {
                (b'\\', _) => word.get_or_insert_default().extend(bytes.next()),
                (byte, Some(mark)) if byte == mark => quote = None,
                (byte, Some(_)) => word.get_or_insert_default().push(byte),
                (b'"' | b'\'', None) => {
                    quote = Some(byte);
                    word.get_or_insert_default();
                }
                (byte, None) if byte.is_ascii_whitespace() => {
                    if word.is_some() {
                        return word;
                    }
                }
                (byte, None) => word.get_or_insert_default().push(byte),
            }
        }
        word
    })
}

fn option(reader: Reader, text: &[u8]) -> Option<(Effect, Value)> {
    let driver = reader == Reader::Driver;
    let rest = text.strip_prefix(b"-")?;
    let (long, two) = match rest.strip_prefix(b"-") {
        Some(long) => (long, true),
        None => (rest, false),
    };
    let (name, value) = match long.iter().position(|b| *b == b'=') {
        Some(at) => (&long[..at], Some(long[at + 1..].to_vec())),
        None => (long, None),
    };
    let given = |value: Option<Vec<u8>>| value.map_or(Value::Next, Value::Here);
    // GNU ld takes long options cut short, as far as they stay unambiguous.
    let short_for = |full: &[u8], least: usize| name.len() >= least && full.starts_with(name);
    let effect = match name {
        b"plugin" | b"load" | b"load-pass-plugin" | b"lto_library" | b"lto-library" => Effect::Loads,
        b"fplugin" | b"fpass-plugin" | b"iplugindir" if driver => Effect::Loads,
        b"thinlto-distributor" | b"fthinlto-distributor" | b"thinlto-remote-compiler" => Effect::Starts,
        b"plugin-opt" => {
            // lld hands these words on to LLVM.
            let inner = value?;
            let inner = if inner.starts_with(b"-") { inner } else { [b"-", inner.as_slice()].concat() };
            return option(Reader::Linker, &inner).filter(|(effect, _)| *effect == Effect::Loads);
        }
        _ if short_for(b"dynamic-linker", 11) || short_for(b"audit", 3) || short_for(b"depaudit", 5) => Effect::Interprets,
        b"fuse-ld" if driver => Effect::Chooses,
        b"ld-path" if driver => Effect::Starts,
        b"specs" if driver => Effect::Specs,
        b"wrapper" if driver && !two => Effect::Wraps,
        b"config" | b"gcc-toolchain" | b"gcc-install-dir" if driver && two => Effect::Starts,
        b"prefix" if driver && two => Effect::Starts,
        _ if two => return None,
        _ => match (rest[..].split_first()?, driver) {
            ((b'B', directory), true) if !NO_DIRECTORIES.contains(&directory) => {
                return Some((Effect::Starts, if directory.is_empty() { Value::Next } else { Value::Here(directory.to_vec()) }));
            }
            ((b'I' | b'P', file), false) => {
                return Some((Effect::Interprets, if file.is_empty() { Value::Next } else { Value::Here(file.to_vec()) }));
            }
            _ => return None,
        },
    };
    Some((effect, given(value)))
}

fn weigh(effect: Effect, value: &[u8], places: &Places) -> Option<(Severity, &'static str)> {
    let why = match effect {
        Effect::Loads => "the linker loads code from there",
        Effect::Starts | Effect::Chooses => "the compiler's driver starts a linker from there",
        Effect::Specs => "such a file says which programs gcc starts",
        Effect::Wraps => "gcc starts everything through it",
        Effect::Interprets => "the linked program is started or accompanied by it",
    };
    let bare = !value.contains(&b'/');
    match effect {
        Effect::Wraps => Some((Severity::High, why)),
        Effect::Chooses if LINKERS.contains(&value) => None,
        Effect::Specs if SPECS.contains(&value) => None,
        // Looked for where compilers keep their own.
        Effect::Chooses | Effect::Specs if bare => Some((Severity::Medium, why)),
        _ if is_installed(value, places) => Some((Severity::Info, why)),
        _ => Some((Severity::High, why)),
    }
}

/// The directory of a search path (`native=/x`), where it is neither the build's nor installed: somewhere at home, or in the system.
pub fn leads_elsewhere(search: &[u8], places: &Places) -> bool {
    let path = searched(search);
    is_clean(path) && !is_installed(path, places) && !places.is_of_the_build(std::path::Path::new(std::ffi::OsStr::from_bytes(path)))
}

/// Without the kind before it.
pub fn searched(search: &[u8]) -> &[u8] {
    let kinds: [&[u8]; 5] = [b"dependency=", b"crate=", b"native=", b"framework=", b"all="];
    kinds.iter().find_map(|kind| search.strip_prefix(*kind)).unwrap_or(search)
}

/// Did somebody put it there who may change the machine? Nothing in a place of the build's counts, and nothing relative.
fn is_installed(path: &[u8], places: &Places) -> bool {
    let path = path.strip_suffix(b"/").unwrap_or(path);
    if !is_clean(path) {
        return false;
    }
    let caches = ["registry", "git"].map(|dir| places.cargo_home.join(dir));
    let built: Vec<_> =
        places.workspace.iter().chain(places.results()).chain(&places.packages).chain([&places.tmp]).chain(&caches).cloned().collect();
    let toolchains = places.rustup_home.as_ref().map(|home| home.join("toolchains"));
    let installed = INSTALLED.iter().map(std::path::PathBuf::from).chain([places.toolchain.clone()]).chain(toolchains);
    !within(path, &built) && (within(path, &installed.collect::<Vec<_>>()) || within(path, &places.path_dirs))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places() -> Places {
        Places {
            workspace: Some("/home/u/app".into()),
            target: "/home/u/app/target".into(),
            build: "/home/u/app/target".into(),
            toolchain: "/home/u/.rustup/toolchains/stable".into(),
            cargo_home: "/home/u/.cargo".into(),
            tmp: "/tmp/brig-1".into(),
            ..Places::default()
        }
    }

    fn worst(words: &[&str]) -> Option<Severity> {
        let mut files = |name: &[u8]| match name {
            b"plain.rsp" => Some(b"-Tlink.x \"a b.o\" -Wl,--gc-sections".to_vec()),
            b"evil.rsp" => Some(b"a.o\n'-Wl,-plugin,/home/u/app/target/x y.so'\n".to_vec()),
            b"nested.rsp" => Some(b"@ld.rsp".to_vec()),
            b"ld.rsp" => Some(b"-plugin /tmp/p.so".to_vec()),
            b"endless.rsp" => Some(b"@endless.rsp".to_vec()),
            _ => None,
        };
        steers(words.iter().map(|word| word.as_bytes()), &places(), &mut files).into_iter().map(|steer| steer.severity).max()
    }

    #[test]
    fn words_of_honest_build_scripts() {
        for words in [
            &["-Tlink.x", "-Tdefmt.x", "--nmagic", "-nostartfiles"][..],
            &["-Wl,-rpath,$ORIGIN/../lib", "-Wl,--version-script=/home/u/app/target/debug/build/x-1/out/map"],
            &["-Wl,-undefined,dynamic_lookup", "-undefined", "dynamic_lookup"],
            &["-Wl,-Bstatic", "-Bdynamic", "-Wl,-Bsymbolic-functions", "-Bsymbolic"],
            &["-rdynamic", "-no-pie", "-static-libgcc", "-pthread", "-fopenmp", "-fsanitize=address", "-flto"],
            &["/home/u/app/target/debug/build/x-1/out/x.o", "-L/home/u/app/target", "-lx", "-Wl,--whole-archive", "-Wl,-soname,libx.so.1"],
            &["-fuse-ld=lld", "-fuse-ld=mold", "--specs=nano.specs", "-specs=nosys.specs"],
            &["-Wl,-install_name,@rpath/libx.dylib", "-Wl,-rpath,@loader_path"],
            &["-framework", "Security", "/NODEFAULTLIB", "--target=thumbv7em-none-eabi", "-mcpu=cortex-m4", "--sysroot=/opt/sdk"],
            &["-Wl,-plugin-opt=O3", "-plugin-opt=mcpu=x86-64", "-Wl,--dynamic-list=/home/u/app/list", "-Wl,-z,now", "-Wl,-Map=out.map"],
            &["@plain.rsp"],
            &["--ldproxy-linker=/home/u/.espressif/bin/gcc", "-I/home/u/app/include", "-PIC"],
        ] {
            assert_eq!(worst(words), None, "{words:?}");
        }
    }

    #[test]
    fn what_is_installed_is_noted() {
        for words in [
            &["-Wl,-plugin,/usr/lib/LLVMgold.so"][..],
            &["-B/usr/libexec/mold"],
            &["-B", "/opt/mold/libexec/"],
            &["--ld-path=/usr/bin/ld.lld"],
            &["-fuse-ld=/home/u/.rustup/toolchains/stable/lib/rustlib/x/bin/gcc-ld/ld.lld"],
            &["-Wl,--dynamic-linker=/lib64/ld-linux-x86-64.so.2"],
        ] {
            assert_eq!(worst(words), Some(Severity::Info), "{words:?}");
        }
    }

    #[test]
    fn what_the_build_could_have_put_there_is_an_alarm() {
        for words in [
            &["-Wl,-plugin,/home/u/app/target/debug/build/x-1/out/p.so"][..],
            &["-Wl,--plugin=p.so"],
            &["-Wl,-plugin", "-Wl,/tmp/p.so"],
            &["-Xlinker", "-plugin", "-Xlinker", "/home/u/p.so"],
            &["-plugin", "/tmp/p.so"],
            &["-Wl,-plugin,/usr/../tmp/p.so"],
            &["-Wl,-plugin"],
            &["-Wl,--load-pass-plugin=/tmp/p.so"],
            &["-Wl,-mllvm,-load=/tmp/p.so"],
            &["-Xclang", "-load", "-Xclang", "/tmp/p.so"],
            &["-Wl,-plugin-opt=-load=/tmp/p.so"],
            &["-fplugin=/tmp/p.so"],
            &["-fuse-ld=/home/u/app/target/debug/build/x-1/out/ld"],
            &["--ld-path=./ld"],
            &["-B/home/u/app/target/debug/build/x-1/out"],
            &["-B", "target/x"],
            &["--prefix=/tmp/x"],
            &["-specs=/home/u/app/target/x.specs"],
            &["-wrapper", "/usr/bin/env"],
            &["--config=/tmp/x.cfg"],
            &["-Wl,--dynamic-linker,/home/u/app/target/ld.so"],
            &["-Wl,--dynamic-link=/tmp/ld.so"],
            &["-Wl,-I/tmp/ld.so"],
            &["-Wl,--audit,/tmp/a.so"],
            &["-Wl,--thinlto-distributor=/tmp/x"],
            &["@evil.rsp"],
            &["-Wl,@nested.rsp"],
        ] {
            assert_eq!(worst(words), Some(Severity::High), "{words:?}");
        }
    }

    #[test]
    fn what_cannot_be_told_is_worth_a_look() {
        for words in [&["-fuse-ld=mine"][..], &["-specs=mine.specs"], &["@missing.rsp"], &["@endless.rsp"]] {
            assert_eq!(worst(words), Some(Severity::Medium), "{words:?}");
        }
    }

    /// Found by fuzzing: a file that named itself with much behind it took 9 GB and a minute.
    #[test]
    fn files_in_files_are_bounded() {
        let long = [&b"@long "[..], &b"x ".repeat(1 << 20)].concat();
        let mut read = 0;
        let found = steers([&b"@long"[..]], &places(), &mut |_| {
            read += 1;
            Some(long.clone())
        });
        // One more is looked at, and found to be too much.
        assert!(read <= BYTES / long.len() + 1, "{read}");
        assert_eq!(found.iter().map(|steer| (steer.words, steer.severity)).collect::<Vec<_>>(), [((0, 0), Severity::Medium)]);
    }

    #[test]
    fn the_words_are_named() {
        let words = ["-Tlink.x", "-Xlinker", "-plugin", "-Xlinker", "/tmp/p.so"];
        let found = steers(words.iter().map(|word| word.as_bytes()), &places(), &mut |_| None);
        assert_eq!(found.iter().map(|steer| steer.words).collect::<Vec<_>>(), [(1, 4)]);
    }
}
