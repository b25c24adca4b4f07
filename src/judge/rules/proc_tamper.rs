//! `proc/tamper`: calls nothing honest makes, and reaching into other processes through `/proc`.

use libc::{EACCES, EPERM};

use crate::judge::paths::components;
use crate::judge::policy::Policy;
use crate::judge::ruling::{Ruling, alarm};
use crate::model::{Breach, Rule, Severity};

/// Refused in both modes: what blinds the record is never allowed.
pub(crate) fn call(policy: &Policy, call: &str) -> Ruling {
    // Tests of the user's own code may well exercise tracing or namespaces; crates being compiled have no such excuse.
    let severity = match call {
        // Asked by runtimes (libuv, tokio) that do without where it is refused, and nothing can be done with a ring nobody has: whoever goes on
        // to use one all the same is no such runtime.
        "io_uring_setup" => Severity::Info,
        // Many machines have none of these, or not for everybody, and it would be the caller's own: a test that asks is prepared.
        "perf_event_open" | "userfaultfd" | "memfd_secret" if policy.is_program() => Severity::Info,
        _ if policy.is_program() => Severity::Medium,
        _ => Severity::High,
    };
    Ruling::Alarm(EPERM, policy.breach(Rule::ProcTamper, severity, &format!("`{call}` is never granted")))
}

/// What the build made, and cargo was to start, is such that no wall can be put around it: it does not run.
pub fn unconfined(why: &str) -> Breach {
    Breach { rule: Rule::ProcTamper, severity: Severity::High, reason: format!("it cannot be confined, so it did not run: {why}") }
}

/// Signals that leave the actor: refused in both modes, since Brig itself could be stopped by one. Asking whether a process is there (signal
/// 0) is what lock files and process listings live on.
pub(crate) fn signal(policy: &Policy, signal: &str) -> Ruling {
    if signal == "0" {
        return Ruling::Quiet(EPERM);
    }
    let severity = if policy.is_program() { Severity::Medium } else { Severity::High };
    Ruling::Alarm(EPERM, policy.breach(Rule::ProcTamper, severity, "signals to processes that are not its own"))
}

/// What another process keeps in memory or open.
const INSIDE: [&[u8]; 9] = [b"mem", b"maps", b"smaps", b"pagemap", b"map_files", b"fd", b"fdinfo", b"root", b"auxv"];

/// Lists of those, which task managers go through, one process after the other, and do without: as arguments and environments. What is listed
/// is another matter.
const LISTS: [&[u8]; 3] = [b"fd", b"fdinfo", b"map_files"];

/// Names and numbers, which hold nothing of a process's own: what `ps` and honest process listings live on. `cmdline` and `environ` are
/// not among them, since passwords stand in both; listings read those too, a hundred at a time, so that is refused without alarm.
const PUBLIC: [&[u8]; 4] = [b"comm", b"stat", b"statm", b"status"];

/// Who listens on this machine and who talks to whom. What an actor's own sockets do is in a network of their own, so these tell of others
/// only; the rest of `net` (which protocols there are) is what runtimes look up.
const CONNECTIONS: [&[u8]; 11] =
    [b"tcp", b"tcp6", b"udp", b"udp6", b"udplite", b"udplite6", b"raw", b"raw6", b"unix", b"packet", b"netlink"];

pub(crate) fn read(policy: &Policy, path: &[u8]) -> Option<Ruling> {
    if path == b"/proc" {
        // Process numbers, which could be tried one after the other as well.
        return Some(Ruling::Allow);
    }
    let mut parts = components(path.strip_prefix(b"/proc/")?);
    let first = parts.next()?;
    if is_number(first) {
        let mut entry = parts.next();
        if entry == Some(b"task") {
            entry = parts.nth(1);
        }
        if policy.is_trusted() {
            return Some(Ruling::Allow);
        }
        let last = parts.clone().next().is_none();
        return Some(match entry {
            Some(entry) if last && LISTS.contains(&entry) => Ruling::Quiet(EACCES),
            Some(entry) if INSIDE.contains(&entry) => alarm(policy, Rule::ProcTamper, Severity::High, "the memory of other processes"),
            Some(entry) if last && PUBLIC.contains(&entry) => Ruling::Allow,
            _ => Ruling::Quiet(EACCES),
        });
    }
    if matches!(first, b"self" | b"thread-self") && !policy.is_trusted() {
        let mut entry = parts.next();
        if entry == Some(b"task") {
            entry = parts.nth(1);
        }
        if entry == Some(b"net") && parts.next().is_some_and(|table| CONNECTIONS.contains(&table)) {
            return Some(Ruling::Quiet(EACCES));
        }
    }
    // Secrets in /proc (kcore …) are the catalogue's business.
    policy.secrets.class_of(path).is_none().then_some(Ruling::Allow)
}

/// Own entries a program may write without harm.
const HARMLESS: [&[u8]; 6] = [b"oom_score_adj", b"oom_adj", b"comm", b"coredump_filter", b"clear_refs", b"timerslack_ns"];

pub(crate) fn write(policy: &Policy, path: &[u8]) -> Option<Ruling> {
    let mut parts = components(path.strip_prefix(b"/proc/")?);
    let own = matches!(parts.next(), Some(b"self" | b"thread-self"));
    let mut entry = parts.next();
    if own && entry == Some(b"task") {
        entry = parts.nth(1);
    }
    Some(match entry {
        Some(entry) if own && (HARMLESS.contains(&entry) || matches!(entry, b"fd" | b"mem")) => Ruling::Allow,
        _ => alarm(policy, Rule::ProcTamper, Severity::High, "writes to `/proc`"),
    })
}

fn is_number(text: &[u8]) -> bool {
    text.iter().all(u8::is_ascii_digit)
}
