//! `exec/unexpected`: a program this kind of actor does not run. Build scripts run what is installed; a compiler runs linkers.

use std::os::unix::ffi::OsStrExt;

use crate::judge::paths::{name, within};
use crate::judge::policy::Policy;
use crate::judge::ruling::{Ruling, alarm};
use crate::model::{ActorKind, Hostile, Rule, Severity};

/// Act with somebody else's rights, in somebody else's account, or later.
const REMOTE_HANDS: [&[u8]; 29] = [
    b"sudo",
    b"su",
    b"doas",
    b"pkexec",
    b"systemctl",
    b"systemd-run",
    b"crontab",
    b"at",
    b"batch",
    b"docker",
    b"podman",
    b"nerdctl",
    b"kubectl",
    b"gh",
    b"glab",
    b"aws",
    b"gcloud",
    b"az",
    b"claude",
    b"gemini",
    b"codex",
    b"trufflehog",
    b"gitleaks",
    b"ssh-add",
    b"gpg",
    b"gdbus",
    b"busctl",
    b"dbus-send",
    b"tmux",
];

pub(super) fn is_remote_hand(path: &[u8]) -> bool {
    REMOTE_HANDS.contains(&name(path))
}

pub(crate) fn exec(policy: &Policy, path: &[u8], argv: &[Hostile]) -> Option<Ruling> {
    let named = policy.exec.iter().any(|tree| tree.as_os_str().as_bytes() == path);
    if policy.is_build_time() && !named && is_remote_hand(path) {
        return Some(alarm(policy, Rule::ExecUnexpected, Severity::High, "exec (acts outside the build)"));
    }
    if within(path, &policy.exec) {
        // What the profile grants as a tree of the user's own is walled program by program: one that appeared later, or hides, is not
        // granted, and a refusal of the kernel's alone would be without a record.
        let walled = within(path, &policy.kernel.exec);
        return (!walled)
            .then(|| alarm(policy, Rule::ExecUnexpected, Severity::Medium, "exec (no program of that tree when the wall was built)"));
    }
    if policy.scripts.iter().any(|script| script.is_run_by(path, argv)) {
        return None;
    }
    let why = match policy.kind {
        ActorKind::Rustc | ActorKind::Linker | ActorKind::ProcMacro => "exec (a compiler runs linkers only)",
        _ => "exec",
    };
    Some(alarm(policy, Rule::ExecUnexpected, Severity::Medium, why))
}
