//! A policy as a Landlock ruleset. In: `judge::Policy`, or bare grants of cargo's, and the ABI to use. Out: a ruleset descriptor for the
//! launcher to apply.
//!
//! Nothing is best effort here: what an ABI has is handled whole, a right the kernel does not take is an error, and what is missing on an
//! older kernel is said by `plan::host`, not silently left out.

use std::collections::{BTreeMap, HashMap};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use landlock::{
    ABI, Access, AccessFs, AccessNet, BitFlags, CompatLevel, Compatible, PathBeneath, Ruleset, RulesetAttr, RulesetCreatedAttr, Scope,
    make_bitflags,
};
use nix::errno::Errno;
use nix::fcntl::{AT_FDCWD, OFlag, OpenHow, ResolveFlag, openat2};
use nix::sys::stat::{FileStat, SFlag, fstat, stat};

use crate::judge::{KernelGrants, Policy};
use crate::model::Mode;

/// The oldest ABI a build can live with: without REFER (Linux 5.19) rustc's renames fail with EXDEV.
pub const LEAST_ABI: u32 = 2;

/// What keeps packets in, and so whether Landlock must.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Network {
    /// Sockets are born in a private network namespace: connecting and binding inside it is harmless, and tests need it.
    Private,
    /// They are not: Landlock refuses TCP from ABI 4 and UDP from ABI 10. Connections the policy allows are the gate's own.
    Wall,
}

/// Builds the ruleset for `policy` using no more than Landlock `abi`. `None` in observe mode, where nothing is refused.
/// Paths that do not exist, or that we may not reach ourselves, are skipped: there is nothing to grant.
///
/// # Errors
/// When the kernel refuses a step, or a tree granted for writing is named through a symbolic link: whoever can replace a
/// component of the path would choose what is granted. The caller must not run the actor.
pub fn build(policy: &Policy, abi: u32, network: Network, pins: &mut Pins) -> Result<Option<OwnedFd>> {
    match policy.mode {
        Mode::Observe => Ok(None),
        // Below the decoys' root the kernel grants what the gate does: `Policy::among_decoys`.
        Mode::Enforce | Mode::Decoy => with_pins(&policy.kernel, &policy.unix, abi, Shape::of_an_actor(network), pins).map(Some),
    }
}

/// What cargo and everything it starts is kept from, whoever they are. Actors get a domain of their own inside: the kernel intersects them,
/// so `grants` must contain theirs. `emptied` are
/// trees whose empty directories may be removed, `listed` those of which all names may be read. Running programs, the network and `ioctl` are those inner domains' affair, and no part of this
/// one; nobody in it signals who is outside. `reads` says whether reading is: in observe mode nothing an actor asks for is refused, and a program is opened for reading by the
/// kernel itself, whereas all writing of actors' is done for them by the gate, from outside (but the names of sockets).
///
/// # Errors
/// As for `build`.
pub fn of_cargo(grants: &KernelGrants, emptied: &[PathBuf], listed: &[PathBuf], abi: u32, reads: bool) -> Result<OwnedFd> {
    with_rules(merged(grants, &[], emptied, listed), abi, Shape::of_cargo(reads), &mut Pins::default())
}

/// What a helper of ours is kept from: all that is not granted but running programs, which it may read; the network; signals and abstract sockets of
/// processes outside.
///
/// # Errors
/// As for `build`.
pub fn of_a_helper(grants: &KernelGrants, abi: u32) -> Result<OwnedFd> {
    with_rules(merged(grants, &[], &[], &[]), abi, Shape::of_a_helper(), &mut Pins::default())
}

/// The same from bare grants: `unix` are trees whose sockets, made by others, may be connected to.
///
/// # Errors
/// As for `build`.
pub fn of_grants(grants: &KernelGrants, unix: &[PathBuf], abi: u32, network: Network) -> Result<OwnedFd> {
    with_pins(grants, unix, abi, Shape::of_an_actor(network), &mut Pins::default())
}

/// What a ruleset handles: all else stays as it is.
#[derive(Clone, Copy)]
struct Shape {
    files: BitFlags<AccessFs>,
    network: bool,
    scopes: BitFlags<Scope>,
}

impl Shape {
    fn of_an_actor(network: Network) -> Shape {
        Shape { files: BitFlags::ALL, network: network == Network::Wall, scopes: BitFlags::ALL }
    }

    fn of_a_helper() -> Shape {
        Shape { files: !BitFlags::from(AccessFs::Execute), network: true, scopes: BitFlags::ALL }
    }

    fn of_cargo(reads: bool) -> Shape {
        let others = make_bitflags!(AccessFs::{Execute | IoctlDev | ResolveUnix});
        let files = if reads { !others } else { !others & !READ & !AccessFs::MakeSock };
        // Whom an actor may signal is less. In observe mode it has no domain of its own.
        let scopes = if reads { BitFlags::from(Scope::Signal) } else { BitFlags::EMPTY };
        Shape { files, network: false, scopes }
    }
}

fn with_pins(grants: &KernelGrants, unix: &[PathBuf], abi: u32, shape: Shape, pins: &mut Pins) -> Result<OwnedFd> {
    with_rules(merged(grants, unix, &[], &[]), abi, shape, pins)
}

fn with_rules(rules: BTreeMap<&Path, BitFlags<AccessFs>>, abi: u32, shape: Shape, pins: &mut Pins) -> Result<OwnedFd> {
    ensure!(abi >= LEAST_ABI, "landlock ABI {abi} is older than {LEAST_ABI}, the oldest a build can run behind");
    let abi = ABI::from(i32::try_from(abi).unwrap_or(i32::MAX));

    let handled = AccessFs::from_all(abi) & shape.files;
    let mut ruleset = Ruleset::default()
        .set_compatibility(CompatLevel::HardRequirement)
        .handle_access(handled)
        .context("handle file access with landlock")?;
    let net = AccessNet::from_all(abi);
    if shape.network && !net.is_empty() {
        ruleset = ruleset.handle_access(net).context("handle network access with landlock")?;
    }
    let scopes = Scope::from_all(abi) & shape.scopes;
    if !scopes.is_empty() {
        ruleset = ruleset.scope(scopes).context("scope signals and abstract sockets with landlock")?;
    }

    let mut ruleset = ruleset.create().context("create a landlock ruleset")?;
    for (path, wanted) in rules {
        let opened;
        let grant = match pins.get(path, wanted) {
            Some(pinned) => pinned,
            None => match Grant::open(path, wanted)? {
                Some(grant) if pins.has_room(wanted) => pins.keep(path, grant),
                Some(grant) => {
                    opened = grant;
                    &opened
                }
                None => continue,
            },
        };
        let rights = grant.rights(wanted, abi) & handled;
        if !rights.is_empty() {
            let rule = PathBeneath::new(&grant.handle, rights);
            ruleset = ruleset.add_rule(rule).with_context(|| format!("grant {} with landlock", path.display()))?;
        }
    }
    let descriptor: Option<OwnedFd> = ruleset.into();
    descriptor.context("the kernel gave no landlock ruleset")
}

const READ: BitFlags<AccessFs> = make_bitflags!(AccessFs::{ReadFile | ReadDir});
/// The kernel opens a program for reading and for execution, and asks for both rights (get_required_file_open_access,
/// security/landlock/fs.c): whoever grants a tree for execution grants its files for reading.
const EXECUTE: BitFlags<AccessFs> = make_bitflags!(AccessFs::{Execute | ReadFile});
const CONNECT: BitFlags<AccessFs> = make_bitflags!(AccessFs::{ResolveUnix});
/// Everything that changes a tree but making device nodes: a root actor's own node of a disk, in its own directory, would be the disk.
const WRITE: BitFlags<AccessFs> = make_bitflags!(AccessFs::{
    WriteFile | Truncate | MakeReg | MakeDir | MakeSym | MakeSock | MakeFifo | RemoveFile | RemoveDir | Refer | ResolveUnix
});

/// Every path once, with all that is granted on it.
fn merged<'a>(
    grants: &'a KernelGrants,
    unix: &'a [PathBuf],
    emptied: &'a [PathBuf],
    listed: &'a [PathBuf],
) -> BTreeMap<&'a Path, BitFlags<AccessFs>> {
    let lists = [
        (grants.read.as_slice(), READ),
        (&grants.exec, EXECUTE),
        (&grants.write, WRITE),
        (unix, CONNECT),
        (emptied, BitFlags::from(AccessFs::RemoveDir)),
        (listed, BitFlags::from(AccessFs::ReadDir)),
    ];
    let mut merged = BTreeMap::new();
    for (paths, rights) in lists {
        for path in paths {
            *merged.entry(path.as_path()).or_insert(BitFlags::EMPTY) |= rights;
        }
    }
    merged
}

/// Handles on what rulesets name, kept from actor to actor: fifty paths are the same for all of them, and opening one costs more than its
/// rule. Only what is granted for reading and running is kept, and a handle counts only while its path still leads to that object.
#[derive(Debug, Default)]
pub struct Pins(HashMap<PathBuf, Grant>);

impl Pins {
    /// Descriptors kept at most; beyond, paths are opened for each actor. A process has 1024 by default.
    const MOST: usize = 128;

    fn get(&self, path: &Path, wanted: BitFlags<AccessFs>) -> Option<&Grant> {
        self.0.get(path).filter(|grant| Self::suits(wanted) && stat(path).is_ok_and(|there| grant.is(&there)))
    }

    fn has_room(&self, wanted: BitFlags<AccessFs>) -> bool {
        self.0.len() < Self::MOST && Self::suits(wanted)
    }

    fn suits(wanted: BitFlags<AccessFs>) -> bool {
        (READ | EXECUTE).contains(wanted)
    }

    fn keep(&mut self, path: &Path, grant: Grant) -> &Grant {
        self.0.entry(path.to_owned()).insert_entry(grant).into_mut()
    }
}

/// A path pinned for a rule.
#[derive(Debug)]
struct Grant {
    handle: OwnedFd,
    kind: SFlag,
    /// Device and inode.
    object: (u64, u64),
}

impl Grant {
    /// `None` where there is nothing to grant.
    fn open(path: &Path, wanted: BitFlags<AccessFs>) -> Result<Option<Grant>> {
        let mut resolve = ResolveFlag::RESOLVE_NO_MAGICLINKS;
        if wanted.contains(AccessFs::WriteFile) {
            resolve |= ResolveFlag::RESOLVE_NO_SYMLINKS;
        }
        let how = OpenHow::new().flags(OFlag::O_PATH | OFlag::O_CLOEXEC).resolve(resolve);
        let handle = match openat2(AT_FDCWD, path, how) {
            Ok(handle) => handle,
            Err(Errno::ENOENT | Errno::ENOTDIR | Errno::EACCES) => return Ok(None),
            Err(Errno::ELOOP) => {
                let path = path.display();
                return Err(Errno::ELOOP)
                    .context(format!("open {path} for a landlock rule: a symbolic link leads to it, name the real path"));
            }
            Err(error) => return Err(error).with_context(|| format!("open {} for a landlock rule", path.display())),
        };
        let facts = fstat(&handle).with_context(|| format!("stat {} for a landlock rule", path.display()))?;
        let kind = SFlag::from_bits_truncate(facts.st_mode & SFlag::S_IFMT.bits());
        Ok(Some(Grant { handle, kind, object: (facts.st_dev, facts.st_ino) }))
    }

    fn is(&self, there: &FileStat) -> bool {
        self.object == (there.st_dev, there.st_ino)
    }

    /// What of `wanted` applies to this kind of file on this ABI. A device named by itself is also for `ioctl`.
    fn rights(&self, wanted: BitFlags<AccessFs>, abi: ABI) -> BitFlags<AccessFs> {
        match self.kind {
            SFlag::S_IFDIR => wanted & AccessFs::from_all(abi),
            SFlag::S_IFCHR if wanted.intersects(READ | WRITE) => (wanted | AccessFs::IoctlDev) & AccessFs::from_file(abi),
            _ => wanted & AccessFs::from_file(abi),
        }
    }
}

#[cfg(test)]
mod tests;
