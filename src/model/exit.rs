//! Exit codes: one documented enum. First match wins; an output format never changes them.

/// Why `cargo brig` ends as it does, in order of precedence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// 2: bad command line.
    Usage,
    /// 96: configuration, profile or baseline invalid.
    Config,
    /// 104: the walls the profile requires cannot be built here.
    NoWall,
    /// 100: at least one violation.
    Violation,
    /// 103: the record is incomplete.
    Incomplete,
    /// 124, as `timeout(1)` has it: the build took longer than `--timeout` and was ended. In place of cargo's own code, which is that of
    /// a program that was killed.
    TimedOut,
    /// Cargo's own code: 0–255, or 128+signal.
    Cargo(u8),
    /// 102: code, or something it did, that `brig.lock` does not hold.
    NewBehaviour,
    /// 0.
    Success,
}

impl Exit {
    pub fn code(self) -> u8 {
        match self {
            Exit::Usage => 2,
            Exit::Config => 96,
            Exit::NoWall => 104,
            Exit::Violation => 100,
            Exit::Incomplete => 103,
            Exit::TimedOut => 124,
            Exit::Cargo(code) => code,
            Exit::NewBehaviour => 102,
            Exit::Success => 0,
        }
    }
}
