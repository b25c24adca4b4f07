//! Resource limits of another process.

use std::io;

/// What one process may use: `None` leaves it as it is. Limits are inherited, and never raised here.
#[derive(Clone, Copy, Debug, Default)]
pub struct Limits {
    /// Bytes of private memory of each process (`RLIMIT_DATA`): address space alone costs nothing, and compilers reserve much of it.
    pub memory: Option<u64>,
    /// Bytes of one file.
    pub file: Option<u64>,
    /// Processes and threads of the user, all that are there already included; the kernel does not count those of root.
    pub processes: Option<u64>,
    /// Seconds of processor time of each process.
    pub seconds: Option<u64>,
}

/// Puts them on a process of ours.
///
/// # Errors
/// The kernel's own: then some are not in force.
pub fn bound(pid: i32, limits: &Limits) -> io::Result<()> {
    let wanted = [
        (libc::RLIMIT_DATA, limits.memory),
        (libc::RLIMIT_FSIZE, limits.file),
        (libc::RLIMIT_NPROC, limits.processes),
        (libc::RLIMIT_CPU, limits.seconds),
        // A core would hold what lies in memory, and fill disks.
        (libc::RLIMIT_CORE, Some(0)),
    ];
    wanted.into_iter().filter_map(|(resource, most)| Some((resource, most?))).try_for_each(|(resource, most)| one(pid, resource, most))
}

fn one(pid: i32, resource: libc::__rlimit_resource_t, most: u64) -> io::Result<()> {
    let mut there = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: the kernel writes one `struct rlimit` into `there` (prlimit(2)) and reads none.
    if unsafe { libc::prlimit(pid, resource, std::ptr::null(), &mut there) } != 0 {
        return Err(io::Error::last_os_error());
    }
    let most = most.min(there.rlim_max);
    let new = libc::rlimit { rlim_cur: most, rlim_max: most };
    // SAFETY: the kernel reads one `struct rlimit` and writes none.
    if unsafe { libc::prlimit(pid, resource, &new, std::ptr::null_mut()) } != 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_hold_for_the_other_process_alone() {
        let mut child = std::process::Command::new("sleep").arg("60").spawn().unwrap();
        let limits = Limits { file: Some(4096), processes: Some(7), ..Limits::default() };
        bound(child.id() as i32, &limits).unwrap();
        let text = std::fs::read_to_string(format!("/proc/{}/limits", child.id())).unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
        let words =
            |line: &str| text.lines().find(|known| known.starts_with(line)).unwrap().split_whitespace().map(str::to_owned).collect();
        let (file, cores): (Vec<String>, Vec<String>) = (words("Max file size"), words("Max core file size"));
        assert_eq!((file[3].as_str(), file[4].as_str(), cores[4].as_str()), ("4096", "4096", "0"), "{text}");
        let own = std::fs::read_to_string("/proc/self/limits").unwrap();
        assert!(!own.lines().any(|line| line.starts_with("Max file size") && line.contains(" 4096 ")), "{own}");
    }
}
