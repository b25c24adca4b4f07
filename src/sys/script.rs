//! The first line of a script as the kernel reads it (`load_script` in fs/binfmt_script.c). In: the beginning of a file. Out: its words.

/// `BINPRM_BUF_SIZE` (Linux 5.1): how much of a file the kernel looks at.
pub const HEAD: u64 = 256;
/// How deep scripts may interpret scripts (`exec_binprm` in fs/exec.c).
pub const DEEPEST: usize = 5;

/// The words of a `#!` line: an interpreter and, behind blanks, the rest of the line as one argument. `None` for what is no script.
pub fn words(head: &[u8]) -> Option<Vec<Vec<u8>>> {
    let line = head.strip_prefix(b"#!")?.split(|byte| matches!(byte, b'\n' | 0)).next()?;
    let line = trimmed(line);
    let (interpreter, rest) = line.split_at(line.iter().position(|byte| is_blank(*byte)).unwrap_or(line.len()));
    let words = [interpreter, trimmed(rest)].into_iter().filter(|word| !word.is_empty());
    Some(words.map(<[u8]>::to_vec).collect::<Vec<_>>()).filter(|words| !words.is_empty())
}

fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

fn trimmed(line: &[u8]) -> &[u8] {
    let begin = line.iter().position(|byte| !is_blank(*byte)).unwrap_or(line.len());
    let end = line.iter().rposition(|byte| !is_blank(*byte)).map_or(begin, |last| last + 1);
    &line[begin..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn interpreters_are_named_as_the_kernel_reads_them() {
        for (head, expected) in [
            ("#!/bin/sh\necho", Some(vec!["/bin/sh"])),
            ("#! /usr/bin/env -S x  y \n", Some(vec!["/usr/bin/env", "-S x  y"])),
            ("#!\t/bin/sh", Some(vec!["/bin/sh"])),
            ("#!/bin/sh\r\n", Some(vec!["/bin/sh\r"])),
            ("#!/bin/sh\0 -e\n", Some(vec!["/bin/sh"])),
            ("#!\n/bin/sh", None),
            ("#!  \n", None),
            ("\x7fELF", None),
            ("", None),
        ] {
            let expected = expected.map(|words| words.into_iter().map(|word| word.as_bytes().to_vec()).collect::<Vec<_>>());
            assert_eq!(words(head.as_bytes()), expected, "{head:?}");
        }
    }
}
