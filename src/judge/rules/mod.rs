//! The rules: one file with its decision and one page with its explanation each. (What is decided when the record is complete —
//! `secret/then-network`, `coverage/…`, `policy/…`, `baseline/…` — and what keeps a build from beginning, `package/…`, has its page here and its decision in `report`.) `rule` asks them in order: tampering, secrets, the
//! rules of the act's class, the profile's grants. In: a policy and an act on its resolved object. Out: a ruling.

use libc::{EACCES, ENOENT, EXDEV};

use crate::judge::paths::within;
use crate::judge::policy::Policy;
use crate::judge::ruling::{Ruling, alarm};
use crate::judge::scratch;
use crate::model::act::ObjectKind;
use crate::model::{Act, Hostile, Object, Rule, Severity};

pub mod ci_command_file;
pub mod env_loader;
pub mod env_withheld;
pub mod exec_downloader;
pub mod exec_dropped;
pub mod exec_unexpected;
pub mod fs_foreign_artifact;
pub mod fs_persist;
pub mod fs_read_outside;
pub mod fs_write_outside;
pub mod fs_write_source;
pub mod ipc_agent;
pub mod link_loader;
pub mod net_bind;
pub mod net_connect;
pub mod net_dns;
pub mod proc_survivor;
pub mod proc_tamper;
pub mod proc_timeout;
pub mod secret_read;

/// Is this a program that a grant of its whole directory does not reach, but one of its name does?
pub fn must_be_named(program: &[u8]) -> bool {
    exec_downloader::is_downloader(program, &[]) || exec_unexpected::is_remote_hand(program)
}

/// The gravest of several rulings on one act (a rename has two ends); the first of equals.
fn gravest<const N: usize>(rulings: [Ruling; N]) -> Ruling {
    rulings.into_iter().rev().max_by_key(Ruling::weight).unwrap_or(Ruling::Quiet(EACCES))
}

pub(crate) fn rule(policy: &Policy, act: &Act, object: Option<Object>) -> Ruling {
    let laid = if policy.is_trusted() { None } else { fs_foreign_artifact::laid(policy, act, object) };
    match laid {
        Some(ruling) => gravest([ruling, of_its_class(policy, act, object)]),
        None => of_its_class(policy, act, object),
    }
}

fn of_its_class(policy: &Policy, act: &Act, object: Option<Object>) -> Ruling {
    match act {
        Act::Tamper { call, .. } => proc_tamper::call(policy, call),
        Act::Signal { signal, .. } => proc_tamper::signal(policy, signal),
        Act::Survive { .. } => proc_survivor::outlived(policy, false),
        Act::Linger { .. } => Ruling::Allow,
        Act::Withhold { .. } => env_withheld::noted(policy),
        // Ruled on in `env_loader` and `link_loader`, by all that one script told.
        Act::Tell { .. } => Ruling::Allow,
        Act::Read { path } => read(policy, path.as_bytes(), object),
        Act::Write { path } | Act::Create { path } | Act::Remove { path } | Act::Symlink { path, .. } => {
            change(policy, act, path.as_bytes(), object)
        }
        Act::Metadata { path, .. } => change(policy, act, path.as_bytes(), object),
        Act::Rename { from, to } => gravest([
            secret_read::moved(policy, from.as_bytes(), object),
            change(policy, act, from.as_bytes(), object),
            arrives(policy, act, to, object),
        ]),
        Act::Link { from, to } => gravest([
            read(policy, from.as_bytes(), object),
            linked(policy, from.as_bytes(), object),
            change(policy, act, to.as_bytes(), None),
        ]),
        Act::Exec { path, argv } => exec(policy, path.as_bytes(), argv, object),
        Act::Connect { to } | Act::Send { to } => ipc_agent::connect(policy, to).unwrap_or_else(|| net_connect::connect(policy, to)),
        Act::Lookup { name, .. } => net_dns::lookup(policy, name.as_bytes()),
        Act::Bind { to } => net_bind::bind(policy, to),
        Act::Socket { family, kind } => net_connect::socket(policy, family, kind),
    }
}

/// Reopened descriptors of pipes and sockets (`pipe:[1]`): the actor's own, a jobserver above all.
fn is_own_descriptor(path: &[u8]) -> bool {
    [b"pipe:[".as_slice(), b"socket:[", b"anon_inode:"].iter().any(|kind| path.starts_with(kind))
}

fn read(policy: &Policy, path: &[u8], object: Option<Object>) -> Ruling {
    if is_own_descriptor(path) {
        return Ruling::Allow;
    }
    if let Some(ruling) = proc_tamper::read(policy, path) {
        return ruling;
    }
    if policy.is_trusted() {
        return Ruling::Allow;
    }
    if let Some(ruling) = secret_read::read(policy, path, object) {
        return ruling;
    }
    if let Some(ruling) = secret_read::fingerprint(policy, path, object) {
        return ruling;
    }
    if let Some(ruling) = secret_read::redacted(policy, path, object) {
        return ruling;
    }
    if let Some(ruling) = fs_read_outside::device(policy, path) {
        return ruling;
    }
    if policy.may_read(path) {
        return Ruling::Allow;
    }
    if object.is_none() {
        return Ruling::Quiet(ENOENT);
    }
    fs_read_outside::read(policy, path, object)
}

/// A second name of a file is a second way to write it, and to read it whole: only what may be written may get one. `EXDEV` is what
/// Landlock says of such a link, and whoever hears it copies.
fn linked(policy: &Policy, from: &[u8], object: Option<Object>) -> Ruling {
    if read(policy, from, object) == Ruling::Redact {
        return Ruling::Alarm(
            EXDEV,
            policy.breach(Rule::SecretRead, Severity::High, "secrets (another name for what is handed out redacted)"),
        );
    }
    match change(policy, &Act::Write { path: from.into() }, from, object) {
        Ruling::Allow | Ruling::Note(_) => Ruling::Allow,
        // Compilers link nothing of their neighbours'.
        Ruling::Alarm(_, breach) if breach.rule == Rule::FsForeignArtifact && policy.write_depth(from).is_some() => {
            Ruling::Alarm(EXDEV, breach)
        }
        _ => Ruling::Quiet(EXDEV),
    }
}

/// The other end of a move: nothing was there, and then there is one of this kind. A link is as good as one made there.
fn arrives(policy: &Policy, act: &Act, to: &Hostile, object: Option<Object>) -> Ruling {
    let kind = object.map(|object| object.kind);
    let made = kind.map(|kind| Object { dev: 0, ino: 0, kind });
    if kind == Some(ObjectKind::Symlink) {
        return change(policy, &Act::Symlink { target: Hostile::from(""), path: to.clone() }, to.as_bytes(), made);
    }
    change(policy, act, to.as_bytes(), made)
}

/// Any act that changes what lies at `path`.
fn change(policy: &Policy, act: &Act, path: &[u8], object: Option<Object>) -> Ruling {
    if is_own_descriptor(path) {
        return Ruling::Allow;
    }
    if let Some(ruling) = proc_tamper::write(policy, path) {
        return ruling;
    }
    if let Some(ruling) = ci_command_file::write(policy, path) {
        return ruling;
    }
    if let Some(ruling) = fs_persist::own_files(policy, path) {
        return ruling;
    }
    if policy.is_trusted() {
        return Ruling::Allow;
    }
    if let Some(ruling) = fs_write_outside::device(policy, act, path) {
        return ruling;
    }
    if policy.secrets.class_of_object(object).is_some() && !matches!(act, Act::Remove { .. }) {
        return alarm(policy, Rule::FsPersist, Severity::High, "writes into a secret through another name of it");
    }
    if let Some(granted) = policy.write_depth(path) {
        // Opened for reading and writing, it would be read.
        if let (Act::Write { .. }, Some(ruling)) = (act, secret_read::read(policy, path, object)) {
            return ruling;
        }
        return fs_foreign_artifact::neighbour(policy, act, path, object)
            .or_else(|| fs_persist::despite_grant(policy, path, granted))
            .unwrap_or(Ruling::Allow);
    }
    if let Some(ruling) = scratch::change(policy, act, path).or_else(|| fs_write_source::record(policy, act, path, object)) {
        return ruling;
    }
    if fs_write_outside::is_habit(policy, act, path) {
        return Ruling::Quiet(EACCES);
    }
    fs_persist::write(policy, path)
        .or_else(|| fs_foreign_artifact::write(policy, path))
        .or_else(|| fs_write_source::write(policy, path))
        .unwrap_or_else(|| fs_write_outside::write(policy, path, object))
}

fn exec(policy: &Policy, path: &[u8], argv: &[crate::model::Hostile], object: Option<Object>) -> Ruling {
    if policy.is_trusted() {
        return Ruling::Allow;
    }
    if let Some(without) = policy.without.as_deref().filter(|_| policy.is_told_otherwise(path, argv)) {
        return exec(without, path, argv, object);
    }
    if object.is_none() && !exec_dropped::has_no_file(path) && !within(path, &policy.exec) {
        // A search of PATH tries one directory after the other.
        return Ruling::Quiet(ENOENT);
    }
    exec_dropped::exec(policy, path, argv)
        .or_else(|| exec_downloader::exec(policy, path, argv))
        .or_else(|| exec_unexpected::exec(policy, path, argv))
        .unwrap_or(Ruling::Allow)
}
