//! File-system calls by dice: a seed in, a sequence of calls out, with paths, flags and structures a decent program would not use, and some
//! it would. They are only described here; `twins` performs them.

/// SplitMix64: the same numbers from the same seed, everywhere.
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Dice {
        Dice(seed)
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }

    /// True once in `times`.
    fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    fn of<T: Copy>(&mut self, list: &[T]) -> T {
        list[self.below(list.len())]
    }

    /// Some of these bits, each with one chance in `rarity`.
    fn bits(&mut self, list: &[i32], rarity: usize) -> i32 {
        list.iter().filter(|_| self.once_in(rarity)).fold(0, |all, bit| all | bit)
    }
}

/// Slots for descriptors.
pub const SLOTS: usize = 6;

/// Where a path begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Front {
    Nothing,
    /// The absolute path of the place.
    Place,
    /// `/proc/self/cwd/`, `/proc/self/root` and the place, `/proc/self/fd/N/`, `/dev/fd/N/`.
    Cwd,
    Root,
    Descriptor(usize),
    Device(usize),
}

#[derive(Clone, Debug)]
pub enum Path {
    /// A pointer that leads nowhere.
    Wild,
    Text(Front, String),
}

/// A directory descriptor.
#[derive(Clone, Copy, Debug)]
pub enum Dir {
    Cwd,
    Slot(usize),
    Bad(i32),
}

/// What is asked for, in the kernel's terms.
#[derive(Clone, Debug)]
pub enum Deed {
    Open {
        dir: Dir,
        path: Path,
        flags: i32,
        mode: u32,
        slot: usize,
    },
    /// By `open` and `creat` themselves, where they exist.
    #[cfg_attr(not(target_arch = "x86_64"), expect(dead_code))]
    OldOpen {
        path: Path,
        flags: i32,
        mode: u32,
        slot: usize,
        creat: bool,
    },
    Open2 {
        dir: Dir,
        path: Path,
        flags: u64,
        mode: u64,
        resolve: u64,
        slot: usize,
        size: u64,
    },
    Mkdir {
        dir: Dir,
        path: Path,
        mode: u32,
    },
    Mknod {
        dir: Dir,
        path: Path,
        mode: u32,
    },
    Symlink {
        target: Path,
        dir: Dir,
        path: Path,
    },
    Link {
        from: Dir,
        old: Path,
        to: Dir,
        new: Path,
        flags: i32,
    },
    Unlink {
        dir: Dir,
        path: Path,
        flags: i32,
    },
    Rename {
        from: Dir,
        old: Path,
        to: Dir,
        new: Path,
        flags: u32,
    },
    Truncate {
        path: Path,
        length: i64,
    },
    Chmod {
        dir: Dir,
        path: Path,
        mode: u32,
        flags: i32,
    },
    Fchmod {
        slot: usize,
        mode: u32,
    },
    Chown {
        dir: Dir,
        path: Path,
        user: bool,
        group: bool,
        flags: i32,
    },
    Times {
        dir: Dir,
        path: Path,
        times: Option<[u64; 4]>,
        flags: i32,
    },
    SetAttribute {
        path: Path,
        name: &'static str,
        value: u64,
        size: u64,
        flags: i32,
        follow: bool,
    },
    RemoveAttribute {
        path: Path,
        name: &'static str,
    },
    Bind {
        path: Path,
    },
    Connect {
        path: Path,
    },
    Chdir {
        path: Path,
    },
    Umask(u32),
    Close(usize),
    /// Becomes somebody else, or comes back; for a root.
    Become(bool),
}

const MODES: &[u32] = &[0, 0o600, 0o644, 0o666, 0o700, 0o755, 0o777, 0o1777, 0o1711, 0o10644];
const NOFOLLOW: i32 = libc::AT_SYMLINK_NOFOLLOW;
const EMPTY: i32 = libc::AT_EMPTY_PATH;
/// What may stand beside `O_PATH`.
const PATH_ONLY: i32 = libc::O_PATH | libc::O_DIRECTORY | libc::O_NOFOLLOW | libc::O_CLOEXEC;

fn component(dice: &mut Dice) -> String {
    match dice.below(40) {
        0..28 => dice.of(&["a", "b", "c", "d", "e"]).to_owned(),
        28..31 => dice.of(&["link", "loop", "dangling"]).to_owned(),
        31..34 => ".".to_owned(),
        34..37 => "..".to_owned(),
        37 => "x".repeat(255),
        38 => "x".repeat(256),
        _ => dice.of(&["a (deleted)", "self", "\u{fffd}", " ", "\\", "thread-self"]).to_owned(),
    }
}

fn text(dice: &mut Dice) -> String {
    if dice.once_in(60) {
        return String::new();
    }
    if dice.once_in(150) {
        // As long as a path may be, or longer.
        let near = dice.of(&[4000, 4094, 4095, 4096, 5000]);
        return "./".repeat(near / 2) + &"a".repeat(near % 2);
    }
    let mut text = component(dice);
    for _ in 0..dice.of(&[0, 0, 0, 0, 1, 1, 2]) {
        text += dice.of(&["/", "/", "/", "//"]);
        text += &component(dice);
    }
    text + dice.of(&["", "", "", "", "", "", "", "", "/", "//", "/."])
}

fn path(dice: &mut Dice) -> Path {
    if dice.once_in(120) {
        return Path::Wild;
    }
    let front = match dice.below(20) {
        0..14 => Front::Nothing,
        14..16 => Front::Place,
        16 => Front::Cwd,
        17 => Front::Root,
        18 => Front::Descriptor(dice.below(SLOTS)),
        _ => Front::Device(dice.below(SLOTS)),
    };
    let text = match front {
        // Mostly the descriptor's object itself.
        Front::Descriptor(_) | Front::Device(_) if !dice.once_in(3) => String::new(),
        _ => text(dice),
    };
    Path::Text(front, text)
}

fn dir(dice: &mut Dice) -> Dir {
    match dice.below(12) {
        0..7 => Dir::Cwd,
        7..11 => Dir::Slot(dice.below(SLOTS)),
        _ => Dir::Bad(dice.of(&[-1, 999])),
    }
}

fn open_flags(dice: &mut Dice) -> i32 {
    let access = dice.of(&[libc::O_RDONLY, libc::O_RDONLY, libc::O_WRONLY, libc::O_RDWR, libc::O_RDWR, libc::O_ACCMODE]);
    let often = dice.bits(&[libc::O_CREAT, libc::O_TRUNC, libc::O_DIRECTORY, libc::O_NOFOLLOW, libc::O_CLOEXEC], 3);
    let seldom = dice.bits(&[libc::O_EXCL, libc::O_APPEND, libc::O_NONBLOCK, libc::O_NOATIME, libc::O_SYNC], 5);
    let rarely = dice.bits(&[libc::O_PATH, libc::O_TMPFILE, libc::O_DIRECT, 1 << 28, libc::O_ASYNC], 12);
    access | often | seldom | rarely
}

fn mode(dice: &mut Dice) -> u32 {
    dice.of(MODES)
}

/// The next call of a sequence.
pub fn deed(dice: &mut Dice) -> Deed {
    match dice.below(100) {
        0..18 => Deed::Open { dir: dir(dice), path: path(dice), flags: open_flags(dice), mode: mode(dice), slot: dice.below(SLOTS) },
        18..22 => {
            let (path, flags, creat) = (path(dice), open_flags(dice), dice.once_in(3));
            Deed::OldOpen { path, flags, mode: mode(dice), slot: dice.below(SLOTS), creat }
        }
        22..34 => {
            let (dir, path) = (dir(dice), path(dice));
            let flags = (open_flags(dice) | libc::O_NONBLOCK) as u64 | if dice.once_in(40) { 1 << 40 } else { 0 };
            let mode = if flags & (libc::O_CREAT | libc::O_TMPFILE) as u64 != 0 || dice.once_in(10) { u64::from(mode(dice)) } else { 0 };
            // What an openat2 for a mere path gets is ENOSYS (see `open`); what is cached is the kernel's affair (bit 5).
            let flags = if flags & !(PATH_ONLY as u64) == 0 { flags & !(libc::O_PATH as u64) } else { flags };
            let resolve = [0, 1, 2, 3, 4, 6].iter().filter(|_| dice.once_in(5)).fold(0, |all, bit| all | 1 << bit);
            Deed::Open2 { dir, path, flags, mode, resolve, slot: dice.below(SLOTS), size: dice.of(&[24, 24, 24, 24, 24, 24, 32, 16, 5000]) }
        }
        34..41 => Deed::Mkdir { dir: dir(dice), path: path(dice), mode: mode(dice) },
        41..45 => {
            let kind = dice.of(&[0, libc::S_IFREG, libc::S_IFIFO, libc::S_IFIFO, libc::S_IFSOCK, libc::S_IFDIR, libc::S_IFLNK, 0o150000]);
            Deed::Mknod { dir: dir(dice), path: path(dice), mode: kind | mode(dice) & 0o7777 }
        }
        45..52 => Deed::Symlink { target: path(dice), dir: dir(dice), path: path(dice) },
        52..59 => {
            let flags =
                dice.of(&[0, 0, libc::AT_SYMLINK_FOLLOW, libc::AT_SYMLINK_FOLLOW, EMPTY, libc::AT_SYMLINK_FOLLOW | EMPTY, NOFOLLOW]);
            Deed::Link { from: dir(dice), old: path(dice), to: dir(dice), new: path(dice), flags }
        }
        59..65 => {
            Deed::Unlink { dir: dir(dice), path: path(dice), flags: dice.of(&[0, 0, 0, libc::AT_REMOVEDIR, libc::AT_REMOVEDIR, NOFOLLOW]) }
        }
        65..73 => {
            let flags =
                dice.of(&[0, 0, 0, 0, libc::RENAME_NOREPLACE, libc::RENAME_EXCHANGE, libc::RENAME_EXCHANGE, libc::RENAME_WHITEOUT, 3, 8]);
            Deed::Rename { from: dir(dice), old: path(dice), to: dir(dice), new: path(dice), flags }
        }
        73..76 => Deed::Truncate { path: path(dice), length: dice.of(&[0, 1, 5000, -1, i64::MAX]) },
        76..81 => Deed::Chmod {
            dir: dir(dice),
            path: path(dice),
            mode: mode(dice),
            flags: dice.of(&[0, 0, 0, NOFOLLOW, EMPTY, NOFOLLOW | EMPTY, 1]),
        },
        81..82 => Deed::Fchmod { slot: dice.below(SLOTS), mode: mode(dice) },
        82..84 => {
            let (user, group) = (dice.once_in(2), dice.once_in(2));
            Deed::Chown { dir: dir(dice), path: path(dice), user, group, flags: dice.of(&[0, 0, NOFOLLOW, EMPTY, 1]) }
        }
        84..88 => {
            const NANOS: &[u64] = &[0, 1, 999_999_999, 1_000_000_000, (1 << 30) - 2, u64::MAX];
            let times = (!dice.once_in(8)).then(|| [dice.of(&[1, 77]), dice.of(NANOS), dice.of(&[2, 1 << 40]), dice.of(NANOS)]);
            Deed::Times { dir: dir(dice), path: path(dice), times, flags: dice.of(&[0, 0, NOFOLLOW, EMPTY, 1]) }
        }
        88..90 => Deed::SetAttribute {
            path: path(dice),
            // Not what is wrong before the path is looked at: since Linux 6.13 it is told first, before it was not.
            name: dice.of(&["user.a", "user.b", "a", "unknown.a", "user.c"]),
            value: dice.next(),
            size: dice.of(&[0, 8, 8]),
            flags: dice.of(&[0, 0, libc::XATTR_CREATE, libc::XATTR_REPLACE]),
            follow: dice.once_in(2),
        },
        90..91 => Deed::RemoveAttribute { path: path(dice), name: dice.of(&["user.a", "user.b", "a"]) },
        91..92 => Deed::Bind { path: path(dice) },
        92..93 => Deed::Connect { path: path(dice) },
        93..95 => Deed::Chdir { path: path(dice) },
        95..97 => Deed::Umask(dice.of(&[0, 0o22, 0o77, 0o27, 0o777])),
        97..98 => Deed::Become(dice.once_in(2)),
        _ => Deed::Close(dice.below(SLOTS)),
    }
}
