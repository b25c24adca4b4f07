//! Programs that do whatever they are told: which one runs says little, and granting one grants nearly everything.

/// Is a program of this name one?
pub fn is_interpreter(name: &[u8]) -> bool {
    matches!(name, b"sh" | b"bash" | b"dash" | b"zsh" | b"ash" | b"ksh" | b"busybox" | b"env" | b"perl" | b"ruby" | b"node" | b"php")
        || name.starts_with(b"python")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shells_and_their_like() {
        assert!(is_interpreter(b"dash") && is_interpreter(b"python3.11") && !is_interpreter(b"cc") && !is_interpreter(b"shfmt"));
    }
}
