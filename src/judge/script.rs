//! A script in a linker's place: its interpreter may run it, and nothing else. In: a program with its arguments. Out: is this that script?

use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use crate::model::Hostile;

/// A script and who interprets it, by their real paths.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Script {
    pub interpreter: PathBuf,
    /// What stands behind the interpreter in the script's first line: one word for the kernel, whatever it is (execve(2)).
    pub argument: Option<OsString>,
    pub file: PathBuf,
}

impl Script {
    /// Is this the interpreter, called as the kernel calls it for this script, and as `env` does?
    pub fn is_run_by(&self, program: &[u8], argv: &[Hostile]) -> bool {
        let mut words = argv.iter().skip(1).map(Hostile::as_bytes);
        let as_written = self.argument.iter().all(|argument| words.next() == Some(argument.as_bytes()));
        program == self.interpreter.as_os_str().as_bytes() && as_written && words.next() == Some(self.file.as_os_str().as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interpreter_runs_its_script_and_nothing_else() {
        let script = |argument: Option<&str>| Script {
            interpreter: "/usr/bin/dash".into(),
            argument: argument.map(Into::into),
            file: "/home/u/bin/link".into(),
        };
        for (argument, program, argv, runs) in [
            (None, "/usr/bin/dash", "/bin/sh /home/u/bin/link -o x", true),
            (None, "/usr/bin/dash", "/bin/sh /home/u/bin/link", true),
            (None, "/usr/bin/dash", "/bin/sh -c evil", false),
            (None, "/usr/bin/dash", "/home/u/bin/link -c evil", false),
            (None, "/usr/bin/dash", "/bin/sh -c /home/u/bin/link", false),
            (None, "/usr/bin/dash", "/bin/sh", false),
            (None, "/usr/bin/bash", "/bin/sh /home/u/bin/link", false),
            (Some("-e"), "/usr/bin/dash", "/bin/sh -e /home/u/bin/link", true),
            (Some("-e"), "/usr/bin/dash", "/bin/sh /home/u/bin/link", false),
            (Some("-e"), "/usr/bin/dash", "/bin/sh -c /home/u/bin/link", false),
        ] {
            let argv: Vec<Hostile> = argv.split(' ').map(Hostile::from).collect();
            assert_eq!(script(argument).is_run_by(program.as_bytes(), &argv), runs, "{argument:?} {argv:?}");
        }
    }
}
