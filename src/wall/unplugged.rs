//! A seccomp program for helpers of ours that have no business with any network: no socket is made. Out: BPF instructions.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use seccompiler::{BpfProgram, SeccompAction, SeccompFilter, TargetArch};

use crate::model::calls::X32;

/// `socket` fails with `EACCES`, and so does the ring through which one could be asked for without that call. Other ABIs, whose numbers mean
/// other calls, end the process (seccompiler's own check); x32 numbers are refused with theirs.
///
/// # Errors
/// On an architecture seccompiler does not know.
pub fn program() -> Result<Vec<libc::sock_filter>> {
    let mut rules: BTreeMap<i64, Vec<_>> = [(libc::SYS_socket, Vec::new()), (libc::SYS_io_uring_setup, Vec::new())].into();
    if let Some(x32) = X32 {
        rules.extend([libc::SYS_socket, libc::SYS_io_uring_setup].map(|number| (number | i64::from(x32.start), Vec::new())));
    }
    let arch = TargetArch::try_from(std::env::consts::ARCH).context("choose the architecture of the filter")?;
    let refuse = SeccompAction::Errno(libc::EACCES as u32);
    let filter = SeccompFilter::new(rules, SeccompAction::Allow, refuse, arch).context("assemble the filter")?;
    let compiled: BpfProgram = filter.try_into().context("compile the filter")?;
    Ok(compiled.iter().map(|step| libc::sock_filter { code: step.code, jt: step.jt, jf: step.jf, k: step.k }).collect())
}
