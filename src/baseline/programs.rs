//! What a program of the machine is called in a lock: what two machines have in common. In: its real path. Out: a name, or that it is some program's own
//! part; nothing for what does not lie where a system keeps programs.

use crate::model::is_interpreter;

pub enum Program<'p> {
    /// `gcc` of `/usr/bin/x86_64-linux-gnu-gcc-12`.
    Named(&'p [u8]),
    /// Of the one that started it: `/usr/libexec/gcc/…/cc1`.
    Part,
}

/// Nobody but the machine's owner puts programs there.
const PROGRAMS: [&[u8]; 6] = [b"/usr/bin/", b"/usr/local/bin/", b"/bin/", b"/usr/sbin/", b"/usr/local/sbin/", b"/sbin/"];
const PARTS: [&[u8]; 5] = [b"/usr/lib/", b"/usr/lib64/", b"/usr/libexec/", b"/lib/", b"/lib64/"];

pub fn of<'p>(path: &'p [u8], arch: &str) -> Option<Program<'p>> {
    if PARTS.iter().any(|directory| path.starts_with(directory)) {
        return Some(Program::Part);
    }
    let file = PROGRAMS.iter().find_map(|directory| path.strip_prefix(*directory))?;
    (!file.is_empty() && !file.contains(&b'/')).then(|| Program::Named(name(file, arch)))
}

/// What two machines call it.
pub fn name<'p>(file: &'p [u8], arch: &str) -> &'p [u8] {
    let name = without_version(without_triple(file, arch));
    // Which of them `/bin/sh` is, is the machine's.
    if is_shell(name) { b"sh" } else { name }
}

fn is_shell(name: &[u8]) -> bool {
    name == b"busybox" || is_interpreter(name) && name.ends_with(b"sh")
}

/// `x86_64-linux-gnu-`, `x86_64-pc-linux-musl-`.
fn without_triple<'p>(file: &'p [u8], arch: &str) -> &'p [u8] {
    let Some(rest) = file.strip_prefix(arch.as_bytes()).filter(|rest| rest.first() == Some(&b'-')) else { return file };
    let at = [&b"linux-gnu-"[..], b"linux-musl-"].iter().find_map(|abi| Some(rest.windows(abi.len()).position(|w| w == *abi)? + abi.len()));
    at.map(|at| &rest[at..]).filter(|name| !name.is_empty()).unwrap_or(file)
}

/// `-12`, `-12.2`; and what comes behind a dot of `python3.11`.
fn without_version(name: &[u8]) -> &[u8] {
    let is_version = |text: &[u8]| !text.is_empty() && text.iter().all(|byte| byte.is_ascii_digit() || *byte == b'.');
    if let Some(at) = name.iter().rposition(|byte| *byte == b'-').filter(|at| *at > 0 && is_version(&name[at + 1..])) {
        return &name[..at];
    }
    match name.iter().position(|byte| *byte == b'.') {
        Some(at) if at > 0 && name[at - 1].is_ascii_digit() && is_version(&name[at + 1..]) => &name[..at],
        _ => name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_machines_have_in_common() {
        for (path, expected) in [
            ("/usr/bin/x86_64-linux-gnu-gcc-12", Some("gcc")),
            ("/usr/bin/x86_64-linux-gnu-ld.bfd", Some("ld.bfd")),
            ("/usr/bin/gcc", Some("gcc")),
            ("/usr/bin/python3.11", Some("python3")),
            ("/usr/bin/dash", Some("sh")),
            ("/usr/bin/bash", Some("sh")),
            ("/usr/local/bin/protoc", Some("protoc")),
            ("/usr/bin/curl", Some("curl")),
            ("/usr/bin/7z", Some("7z")),
            ("/usr/libexec/gcc/x86_64-linux-gnu/12/cc1", Some("(a part)")),
            ("/usr/bin/", None),
            ("/srv/bin/gcc", None),
            ("{home}/bin/gcc", None),
        ] {
            let found = of(path.as_bytes(), "x86_64").map(|found| match found {
                Program::Named(name) => String::from_utf8_lossy(name).into_owned(),
                Program::Part => "(a part)".into(),
            });
            assert_eq!(found.as_deref(), expected, "{path}");
        }
    }
}
