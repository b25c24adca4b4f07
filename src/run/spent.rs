//! What this process of ours has used of the machine so far. Out: its own processor time, and the most memory it had; nothing of what it started.

use nix::sys::resource::{UsageWho, getrusage};

use crate::model::report::Costs;

/// `processor_ms` and `peak_memory_kib`; all else is nothing.
pub fn so_far() -> Costs {
    let processor_ms = getrusage(UsageWho::RUSAGE_SELF).map_or(0, |usage| {
        let ms = |time: nix::sys::time::TimeVal| time.tv_sec() * 1000 + time.tv_usec() / 1000;
        u64::try_from(ms(usage.user_time()) + ms(usage.system_time())).unwrap_or(0)
    });
    Costs { processor_ms, peak_memory_kib: peak_memory().unwrap_or(0), ..Costs::default() }
}

/// `VmHWM` of our own process (proc_pid_status(5)).
fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?.trim().strip_suffix(" kB")?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_used_is_counted() {
        let before = so_far();
        // Some work, however fast the machine is: eight times more than is counted.
        let digest = crate::model::sha256::hex(&vec![0; 32 << 20]);
        let after = so_far();
        assert!(after.processor_ms > before.processor_ms, "{digest}: {} ms", after.processor_ms);
        assert!(before.peak_memory_kib > 0 && after.peak_memory_kib >= before.peak_memory_kib);
    }
}
