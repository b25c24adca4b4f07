//! `ci/command-file`: a write to a file through which one step of a CI job commands the next.

use crate::judge::paths::within;
use crate::judge::policy::Policy;
use crate::judge::ruling::{Ruling, alarm};
use crate::model::{Rule, Severity};

/// No grant opens them, not even a tool's.
pub(crate) fn write(policy: &Policy, path: &[u8]) -> Option<Ruling> {
    let known = within(path, &policy.places.ci_files) || path.windows(23).any(|part| part == b"/_runner_file_commands/");
    known.then(|| alarm(policy, Rule::CiCommandFile, Severity::High, "write (CI command file)"))
}
