//! Two lives: the same sequence of calls, thrown by dice, is performed in one directory without us and in its twin through the gate. Every
//! result and every errno has to be the same, and so have the trees in the end. `BRIG_TWINS=SEED:COUNT:STEPS` for more than the suite runs.

use std::collections::HashMap;
use std::ffi::{CString, OsStr};
use std::fmt::Write as _;
use std::fs;
use std::io::Read;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use nix::sys::stat::{Mode, umask};

use super::deeds::{Deed, Dice, Dir, Front, Path as Words, SLOTS, deed};
use super::stage::Stage;
use crate::sys::files::{self, AT_FDCWD};
use crate::sys::identity::{Acting, Person};
use crate::sys::socket;
use crate::sys::testing::{Argument, file_call, made};

/// Far enough down that no `..` of a sequence leaves the stage.
const DEPTH: usize = 12;
const FCHMODAT2: i64 = 452;

#[test]
fn a_life_behind_the_gate_is_like_one_without() {
    let asked = std::env::var("BRIG_TWINS").unwrap_or_else(|_| "1:6:400".into());
    let numbers: Vec<u64> = asked.split(':').map(|number| number.parse().expect("BRIG_TWINS=SEED:COUNT:STEPS")).collect();
    let &[seed, count, steps] = numbers.as_slice() else { panic!("BRIG_TWINS=SEED:COUNT:STEPS") };
    let mut failed = Vec::new();
    for seed in seed..seed + count {
        if let Some(difference) = difference(seed, steps) {
            failed.push(format!("BRIG_TWINS={seed}:1:{steps}\n{difference}"));
        }
    }
    assert!(failed.is_empty(), "{} of {count} lives differ:\n{}", failed.len(), failed.join("\n"));
}

fn difference(seed: u64, steps: u64) -> Option<String> {
    // In every second life, plain reads are done by runners.
    let (free, guarded) = (Stage::wide(false), Stage::wide(seed.is_multiple_of(2)));
    let places = [&free, &guarded].map(|stage| prepare(&stage.out()));
    let scene = format!("twin {seed} {steps}");
    let told = free.play_without_us(&scene);
    let played = guarded.play(&scene);
    played.assert_good();
    let lines = |text: &str| text.lines().filter(|line| line.starts_with("STEP ")).map(str::to_owned).collect::<Vec<_>>();
    let (told, ours) = (lines(&told), lines(&played.output));
    assert_eq!(told.len() as u64, steps, "the sequence was not performed to its end");
    if let Some(at) = (0..told.len()).find(|at| ours.get(*at) != Some(&told[*at])) {
        let ours = ours.get(at).map_or("nothing", String::as_str);
        return Some(format!("  without us  {}\n  the gate    {ours}", told[at]));
    }
    let [plain, twin] = places.map(|place| tree(&place));
    let differ = |(name, line): &(&String, &String)| twin.get(*name) != Some(line);
    let first = plain.iter().filter(differ).map(|(name, line)| format!("  {name}: {line}, and {:?}", twin.get(name))).next();
    first.or_else(|| twin.keys().find(|name| !plain.contains_key(*name)).map(|name| format!("  {name} is in the twin only")))
}

/// The place of a life: some files, directories and links to begin with.
fn prepare(out: &Path) -> PathBuf {
    let place = (0..DEPTH).fold(out.to_owned(), |dir, _| dir.join("1"));
    for dir in ["a", "b/c", "d/a"] {
        fs::create_dir_all(place.join(dir)).unwrap();
    }
    for file in ["a/b", "b/a", "c", "a/c"] {
        fs::write(place.join(file), file).unwrap();
    }
    for (link, target) in [("link", "a"), ("loop", "loop"), ("dangling", "d/b"), ("a/link", "../b"), ("b/dangling", "/proc/self/cwd/e")] {
        symlink(target, place.join(link)).unwrap();
    }
    for dir in place.ancestors().take_while(|dir| *dir != out).chain([out, &place.join("a"), &place.join("d")]) {
        fs::set_permissions(dir, fs::Permissions::from_mode(0o777)).unwrap();
    }
    // What is made in the one belongs to its group, in the other its default ACL stands for the umask (acl(5)).
    fs::set_permissions(place.join("b"), fs::Permissions::from_mode(0o2777)).unwrap();
    let directory = CString::new(place.join("d").as_os_str().as_bytes()).unwrap();
    match files::set_attribute(&directory, c"system.posix_acl_default", &everything_for_all(), 0) {
        Err(error) if error.raw_os_error() == Some(libc::EOPNOTSUPP) => println!("this file system has no ACLs: none were tried"),
        set => set.unwrap(),
    }
    place
}

/// An ACL as the kernel stores it (`linux/posix_acl_xattr.h`): version 2; user, group and others have rwx.
fn everything_for_all() -> Vec<u8> {
    let entries = [0x01u16, 0x04, 0x20].map(|tag| [tag.to_le_bytes(), 7u16.to_le_bytes(), [0xff; 2], [0xff; 2]].concat());
    [2u32.to_le_bytes().to_vec(), entries.concat()].concat()
}

/// Everything below a place, by name; inodes as the first name that has them.
fn tree(place: &Path) -> HashMap<String, String> {
    let (mut found, mut inodes, mut rest) = (HashMap::new(), HashMap::new(), vec![PathBuf::new()]);
    while let Some(name) = rest.pop() {
        let path = place.join(&name);
        let Ok(facts) = fs::symlink_metadata(&path) else { continue };
        let first = inodes.entry(facts.ino()).or_insert_with(|| name.clone()).clone();
        let content = match facts.file_type() {
            kind if kind.is_symlink() => relative(&fs::read_link(&path).unwrap().into_os_string(), place),
            kind if kind.is_dir() => {
                let mut names: Vec<_> = fs::read_dir(&path).into_iter().flatten().flatten().map(|entry| entry.file_name()).collect();
                names.sort();
                rest.extend(names.iter().rev().map(|entry| name.join(entry)));
                format!("{names:?}")
            }
            kind if kind.is_file() => {
                let mut head = [0; 64];
                let read = fs::File::open(&path).and_then(|mut file| file.read(&mut head)).unwrap_or(0);
                format!("{} bytes {:?}", facts.len(), OsStr::from_bytes(&head[..read]))
            }
            kind => format!("fifo {} socket {}", kind.is_fifo(), kind.is_socket()),
        };
        let line = format!("{:o} {}:{} ×{} as {first:?}: {content}", facts.mode(), facts.uid(), facts.gid(), facts.nlink());
        found.insert(name.to_string_lossy().into_owned(), line);
    }
    found
}

/// A text in which the place, which differs from twin to twin, is called so.
fn relative(text: &OsStr, place: &Path) -> String {
    let stage = place.ancestors().nth(DEPTH + 1).unwrap();
    String::from_utf8_lossy(text.as_bytes()).replace(place.to_str().unwrap(), "{place}").replace(stage.to_str().unwrap(), "{stage}")
}

/// The actor's part.
pub fn live(what: &str, out: &Path) {
    let (seed, steps) = what.split_once(' ').unwrap();
    let place = (0..DEPTH).fold(out.to_owned(), |dir, _| dir.join("1"));
    std::env::set_current_dir(&place).unwrap();
    umask(Mode::from_bits_truncate(0o022));
    let mut life = Life { place, slots: Default::default(), acting: None };
    let mut dice = Dice::new(seed.parse().unwrap());
    let mut text = String::from("\n");
    for step in 0..steps.parse::<u32>().unwrap() {
        let deed = deed(&mut dice);
        let result = life.perform(&deed);
        // What begins with an absolute path is as long in both, but not the same.
        let deed = format!("{deed:?}").replace(&"x".repeat(255), "{long}").replace(&"./".repeat(2000), "{dots}");
        writeln!(text, "STEP {step}: {deed} → {result}").unwrap();
    }
    print!("{text}");
}

struct Life {
    place: PathBuf,
    slots: [Option<OwnedFd>; SLOTS],
    acting: Option<Acting>,
}

/// A path as it is handed over.
struct Given(Option<CString>);

impl Given {
    fn argument(&self) -> Argument<'_> {
        self.0.as_deref().map_or(Argument::Wild, Argument::Text)
    }
}

fn number(value: impl Into<i64>) -> Argument<'static> {
    Argument::Number(value.into())
}

impl Life {
    fn perform(&mut self, deed: &Deed) -> String {
        if is_another_matter(deed, self.acting.is_some()) {
            return "not performed".into();
        }
        match deed {
            Deed::Open { dir, path, flags, mode, slot } => {
                let flags = self.patient(*dir, path, *flags);
                let result = self.call(libc::SYS_openat, &[self.dir(*dir), self.path(path).argument(), number(flags), number(*mode)]);
                self.opened(result, *slot)
            }
            #[cfg(target_arch = "x86_64")]
            Deed::OldOpen { path, flags, mode, slot, creat } => {
                let given = self.path(path);
                let plain = self.patient(Dir::Cwd, path, *flags);
                let result = if *creat && self.patient(Dir::Cwd, path, 0) == 0 {
                    self.call(libc::SYS_creat, &[given.argument(), number(*mode)])
                } else {
                    self.call(libc::SYS_open, &[given.argument(), number(plain), number(*mode)])
                };
                self.opened(result, *slot)
            }
            #[cfg(not(target_arch = "x86_64"))]
            Deed::OldOpen { .. } => "not here".into(),
            Deed::Open2 { dir, path, flags, mode, resolve, slot, size } => {
                let how = [*flags, *mode, *resolve, 0];
                let given = self.path(path);
                let arguments = [self.dir(*dir), given.argument(), Argument::Words(&how), number(*size as i64)];
                let result = self.call(libc::SYS_openat2, &arguments);
                self.opened(result, *slot)
            }
            Deed::Mkdir { dir, path, mode } => self.told(libc::SYS_mkdirat, &[self.dir(*dir), self.path(path).argument(), number(*mode)]),
            Deed::Mknod { dir, path, mode } => {
                self.told(libc::SYS_mknodat, &[self.dir(*dir), self.path(path).argument(), number(*mode), number(0)])
            }
            Deed::Symlink { target, dir, path } => {
                self.told(libc::SYS_symlinkat, &[self.path(target).argument(), self.dir(*dir), self.path(path).argument()])
            }
            Deed::Link { from, old, to, new, flags } => {
                let (old, new) = (self.path(old), self.path(new));
                self.told(libc::SYS_linkat, &[self.dir(*from), old.argument(), self.dir(*to), new.argument(), number(*flags)])
            }
            Deed::Unlink { dir, path, flags } => {
                self.told(libc::SYS_unlinkat, &[self.dir(*dir), self.path(path).argument(), number(*flags)])
            }
            Deed::Rename { from, old, to, new, flags } => {
                let (old, new) = (self.path(old), self.path(new));
                self.told(libc::SYS_renameat2, &[self.dir(*from), old.argument(), self.dir(*to), new.argument(), number(*flags)])
            }
            Deed::Truncate { path, length } => self.told(libc::SYS_truncate, &[self.path(path).argument(), number(*length)]),
            Deed::Chmod { dir, path, mode, flags } => {
                let call = if *flags == 0 { libc::SYS_fchmodat } else { FCHMODAT2 };
                self.told(call, &[self.dir(*dir), self.path(path).argument(), number(*mode), number(*flags)])
            }
            Deed::Fchmod { slot, mode } => self.told(libc::SYS_fchmod, &[self.dir(Dir::Slot(*slot)), number(*mode)]),
            Deed::Chown { dir, path, user, group, flags } => {
                let own = |wanted: bool, id: u32| if wanted { number(id) } else { number(-1) };
                let (user, group) = (own(*user, nix::unistd::getuid().as_raw()), own(*group, nix::unistd::getgid().as_raw()));
                self.told(libc::SYS_fchownat, &[self.dir(*dir), self.path(path).argument(), user, group, number(*flags)])
            }
            Deed::Times { dir, path, times, flags } => {
                let pointer = times.as_ref().map_or(number(0), |times| Argument::Words(times));
                self.told(libc::SYS_utimensat, &[self.dir(*dir), self.path(path).argument(), pointer, number(*flags)])
            }
            Deed::SetAttribute { path, name, value, size, flags, follow } => {
                let (name, value) = (CString::new(*name).unwrap(), vec![*value; 8193]);
                let call = if *follow { libc::SYS_setxattr } else { libc::SYS_lsetxattr };
                let given = self.path(path);
                let arguments = [given.argument(), Argument::Text(&name), Argument::Words(&value), number(*size as i64), number(*flags)];
                self.told(call, &arguments)
            }
            Deed::RemoveAttribute { path, name } => {
                let name = CString::new(*name).unwrap();
                self.told(libc::SYS_removexattr, &[self.path(path).argument(), Argument::Text(&name)])
            }
            Deed::Bind { path } => self.socket(libc::SYS_bind, path),
            Deed::Connect { path } => self.socket(libc::SYS_connect, path),
            Deed::Chdir { path } => {
                let given = self.path(path);
                let told = self.told(libc::SYS_chdir, &[given.argument()]);
                // Never far from home.
                let here = std::env::current_dir().unwrap_or_default();
                if !here.starts_with(&self.place) {
                    // Somebody else may not find the way.
                    std::env::set_current_dir(&self.place).ok();
                }
                told
            }
            Deed::Umask(mask) => format!("{:o}", umask(Mode::from_bits_truncate(*mask)).bits()),
            Deed::Close(slot) => format!("{}", self.slots[*slot].take().is_some()),
            Deed::Become(other) => {
                self.acting = None;
                if *other && nix::unistd::geteuid().is_root() {
                    let nobody = Person { user: 65534, group: 65534, groups: vec![], capabilities: 0 };
                    self.acting = Some(Acting::like(&nobody).unwrap());
                    // What fails is told as before until something has succeeded.
                    drop(fs::File::open("/").unwrap());
                }
                String::new()
            }
        }
    }

    /// Nobody opens the other end of a FIFO here.
    fn patient(&self, dir: Dir, path: &Words, flags: i32) -> i32 {
        let Some(given) = self.path(path).0 else { return flags };
        let base = match dir {
            Dir::Slot(slot) => self.slots[slot].as_ref().map_or(AT_FDCWD, |fd| fd.as_fd()),
            _ => AT_FDCWD,
        };
        let fifo = files::stat_at(base, &given, 0).is_ok_and(|facts| facts.mode & libc::S_IFMT == libc::S_IFIFO);
        if fifo { flags | libc::O_NONBLOCK } else { flags }
    }

    fn path(&self, path: &Words) -> Given {
        let Words::Text(front, text) = path else { return Given(None) };
        let place = self.place.to_str().unwrap();
        let number = |slot: &usize| self.slots[*slot].as_ref().map_or(999, |fd| fd.as_raw_fd());
        let after = if text.is_empty() { "" } else { "/" };
        let front = match front {
            Front::Nothing => String::new(),
            Front::Place => format!("{place}/"),
            Front::Cwd => "/proc/self/cwd/".into(),
            Front::Root => format!("/proc/self/root{place}/"),
            Front::Descriptor(slot) => format!("/proc/self/fd/{}{after}", number(slot)),
            Front::Device(slot) => format!("/dev/fd/{}{after}", number(slot)),
        };
        Given(Some(CString::new(front + text).unwrap()))
    }

    fn dir(&self, dir: Dir) -> Argument<'static> {
        number(match dir {
            Dir::Cwd => libc::AT_FDCWD,
            Dir::Slot(slot) => self.slots[slot].as_ref().map_or(999, |fd| fd.as_raw_fd()),
            Dir::Bad(fd) => fd,
        })
    }

    fn call(&self, call: i64, arguments: &[Argument]) -> Result<i64, i32> {
        file_call(call, arguments)
    }

    fn told(&self, call: i64, arguments: &[Argument]) -> String {
        outcome(self.call(call, arguments))
    }

    /// What an open has given.
    fn opened(&mut self, result: Result<i64, i32>, slot: usize) -> String {
        let fd = match result {
            Ok(fd) => made(fd),
            Err(errno) => return outcome(Err(errno)),
        };
        let facts = files::stat(fd.as_fd()).unwrap();
        let flags = socket::status_flags(fd.as_fd()).unwrap();
        let cloexec = nix::fcntl::fcntl(&fd, nix::fcntl::FcntlArg::F_GETFD).unwrap();
        // The flag of an open that would not have followed a link: it is followed to what was pinned, and the flag is lost.
        let flags = flags & !libc::O_NOFOLLOW;
        let mut told = format!("mode {:o}, {} links, flags {flags:o}, cloexec {cloexec}", facts.mode, facts.links);
        if facts.mode & libc::S_IFMT == libc::S_IFREG && flags & (libc::O_PATH | libc::O_DIRECT) == 0 {
            let wrote = nix::unistd::write(&fd, b"written");
            let read = nix::unistd::read(&fd, &mut [0; 16]);
            write!(told, ", {} bytes, wrote {wrote:?}, read {read:?}", facts.size).unwrap();
        }
        let path = fs::read_link(format!("/proc/self/fd/{}", fd.as_raw_fd())).unwrap();
        write!(told, ", at {}", without_numbers(&relative(path.as_os_str(), &self.place))).unwrap();
        self.slots[slot] = Some(fd);
        told
    }

    fn socket(&self, call: i64, path: &Words) -> String {
        let Some(given) = self.path(path).0 else { return String::new() };
        let text = given.as_bytes_with_nul();
        if text.len() > 108 {
            return "too long".into();
        }
        let mut address = [0u8; 112];
        address[..2].copy_from_slice(&(libc::AF_UNIX as u16).to_ne_bytes());
        address[2..2 + text.len()].copy_from_slice(text);
        let words: Vec<u64> = address.chunks(8).map(|chunk| u64::from_ne_bytes(chunk.try_into().unwrap())).collect();
        let socket = socket::create(libc::AF_UNIX, libc::SOCK_STREAM | libc::SOCK_CLOEXEC, 0).unwrap();
        self.told(call, &[number(socket.as_raw_fd()), Argument::Words(&words), number(2 + text.len() as i64)])
    }
}

/// What is another matter: changing names below `/proc` is refused; and for somebody else, a link by descriptor (whose rules changed with
/// Linux 6.10).
fn is_another_matter(deed: &Deed, acting: bool) -> bool {
    let link =
        |path: &Words| matches!(path, Words::Text(front, text) if text.is_empty() && !matches!(front, Front::Nothing | Front::Place));
    match deed {
        Deed::Unlink { path, .. } | Deed::Bind { path } => link(path),
        Deed::Rename { old, new, .. } => link(old) || link(new),
        Deed::Link { flags, .. } => acting && flags & libc::AT_EMPTY_PATH != 0,
        _ => false,
    }
}

/// Without the numbers of processes and of files that have no name.
fn without_numbers(text: &str) -> String {
    let digits = |text: &str| text.len() - text.trim_start_matches(|letter: char| letter.is_ascii_digit()).len();
    let (mut out, mut rest) = (String::new(), text);
    while let Some((at, mark)) = ["/proc/", "#"].iter().filter_map(|mark| rest.find(mark).map(|at| (at, *mark))).min() {
        let after = at + mark.len();
        out.push_str(&rest[..after]);
        rest = &rest[after + digits(&rest[after..])..];
    }
    out + rest
}

fn outcome(result: Result<i64, i32>) -> String {
    match result {
        Ok(value) => value.to_string(),
        Err(errno) => format!("{:?}", nix::errno::Errno::from_raw(errno)),
    }
}
