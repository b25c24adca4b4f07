//! Which of cargo's subcommands build the workspace, and which one a command line has.

/// Cargo's own that do not build the workspace. An alias cannot take the name of one.
const ELSEWHERE: [&str; 33] = [
    "add",
    "clean",
    "config",
    "fetch",
    "generate-lockfile",
    "git-checkout",
    "help",
    "info",
    "init",
    "locate-project",
    "login",
    "logout",
    "metadata",
    "new",
    "owner",
    "pkgid",
    "read-manifest",
    "remove",
    "rm",
    "report",
    "search",
    "tree",
    "uninstall",
    "update",
    "vendor",
    "verify-project",
    "version",
    "yank",
    "install",
    "package",
    "publish",
    "fmt",
    "",
];

/// Options before the subcommand whose value is a word of its own.
const VALUED: [&str; 4] = ["--config", "--color", "-C", "-Z"];

/// Does it build the workspace, or is it none of cargo's own and may do so? Done twice, that does no more than done once.
pub fn builds(subcommand: &str) -> bool {
    !ELSEWHERE.contains(&subcommand)
}

/// Of the words behind `cargo`.
pub fn of<'w>(words: impl IntoIterator<Item = &'w str>) -> Option<&'w str> {
    let mut words = words.into_iter();
    while let Some(word) = words.next() {
        match word {
            "--" => return None,
            word if VALUED.contains(&word) => drop(words.next()),
            word if word.starts_with(['-', '+']) => {}
            word => return Some(word),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_word_that_is_no_option() {
        for (line, expected) in [
            ("build -p new", Some("build")),
            ("+nightly -v --config a=b -Zunstable-options --color=always install x", Some("install")),
            ("--version", None),
            ("", None),
        ] {
            assert_eq!(of(line.split_whitespace()), expected, "{line}");
        }
        assert!(builds("t") && builds("nextest") && !builds("new") && !builds("publish"));
    }
}
