//! Which file is a configuration, and in which format. In: a path. Out: a [`Format`], told by the directory the file lies in.

use serde::Deserialize;

use crate::judge::paths::{components, name, parent};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Format {
    Git,
    Cargo,
    Jujutsu,
    Mercurial,
}

/// Is this a file of a repository, or beside cargo's configuration, that may be a configuration? By the directory it lies in: whatever is
/// not known to be something else counts, for any file may be included, and tools and editors leave copies.
pub fn beside(path: &[u8]) -> Option<Format> {
    let (directory, rest) = innermost(path)?;
    let last = name(rest);
    match directory {
        b".git" if is_git_data(rest) => None,
        b".git" => Some(Format::Git),
        b".cargo" if rest != last => None,
        b".cargo" => (last.ends_with(b".toml") || last.starts_with(b"config")).then_some(Format::Cargo),
        b".jj" => (last.ends_with(b".toml") || last.starts_with(b"config")).then_some(Format::Jujutsu),
        _ => last.starts_with(b"hgrc").then_some(Format::Mercurial),
    }
}

/// The last of those directories on the way, and what is below it.
fn innermost(path: &[u8]) -> Option<(&[u8], &[u8])> {
    // Hardly any path has one.
    let mut from = path.len();
    while let Some(slash) = path[..from].iter().rposition(|byte| *byte == b'/') {
        let part = &path[slash + 1..from];
        if from < path.len() && part.first() == Some(&b'.') && matches!(part, b".git" | b".cargo" | b".jj" | b".hg") {
            return Some((part, &path[from + 1..]));
        }
        from = slash;
    }
    None
}

/// What git keeps, and is no configuration (gitrepository-layout(5)), in the repository itself, in one of a submodule or of a worktree.
fn is_git_data(rest: &[u8]) -> bool {
    const TREES: [&[u8]; 10] =
        [b"objects", b"refs", b"logs", b"info", b"hooks", b"lfs", b"rr-cache", b"rebase-merge", b"rebase-apply", b"sequencer"];
    const FILES: [&[u8]; 15] = [
        b"HEAD",
        b"packed-refs",
        b"packed-refs.lock",
        b"index",
        b"index.lock",
        b"description",
        b"shallow",
        b"shallow.lock",
        b"commondir",
        b"gitdir",
        b"locked",
        b"gc.pid",
        b"gc.log",
        b"AUTO_MERGE",
        b"MERGE_MODE",
    ];
    let last = name(rest);
    let is_state = |end: &[u8]| last.ends_with(end) && last.iter().all(|byte| byte.is_ascii_uppercase() || *byte == b'_');
    components(parent(rest)).any(|part| TREES.contains(&part))
        || FILES.contains(&last)
        || last.starts_with(b"sharedindex.")
        || is_state(b"_HEAD")
        || is_state(b"_MSG")
        || is_state(b"_EDITMSG")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_a_file_lies_says_what_it_is() {
        for (path, format) in [
            ("/w/.git/config", Some(Format::Git)),
            ("/w/.git/config.worktree", Some(Format::Git)),
            ("/w/.git/config.lock", Some(Format::Git)),
            ("/w/.git/config~", Some(Format::Git)),
            ("/w/.git/extra.inc", Some(Format::Git)),
            ("/w/.git/modules/a/config", Some(Format::Git)),
            ("/w/.git/modules/a/b/c/config", Some(Format::Git)),
            ("/w/.git/modules/a/modules/b/config", Some(Format::Git)),
            ("/w/.git/worktrees/w/config.worktree", Some(Format::Git)),
            ("/w/.git/some-tool/settings.xml", Some(Format::Git)),
            ("/w/.git/HEAD", None),
            ("/w/.git/FETCH_HEAD", None),
            ("/w/.git/COMMIT_EDITMSG", None),
            ("/w/.git/index", None),
            ("/w/.git/packed-refs", None),
            ("/w/.git/refs/heads/config", None),
            ("/w/.git/logs/HEAD", None),
            ("/w/.git/objects/pack/pack-1.idx", None),
            ("/w/.git/modules/a/b/HEAD", None),
            ("/w/.git/worktrees/w/gitdir", None),
            ("/w/.git", None),
            ("/w/.gitignore", None),
            ("/w/.cargo/config.toml", Some(Format::Cargo)),
            ("/w/.cargo/config", Some(Format::Cargo)),
            ("/w/.cargo/config.toml.bak", Some(Format::Cargo)),
            ("/w/.cargo/private.toml", Some(Format::Cargo)),
            ("/h/.cargo/registry/src/x/Cargo.toml", None),
            ("/h/.cargo/bin/cargo", None),
            ("/h/.cargo/env", None),
            ("/w/.hg/hgrc", Some(Format::Mercurial)),
            ("/w/.hg/hgrc-not-shared", Some(Format::Mercurial)),
            ("/w/.hg/dirstate", None),
            ("/w/.jj/repo/config.toml", Some(Format::Jujutsu)),
            ("/w/.jj/repo/store/type", None),
            ("/w/src/config.toml", None),
            ("/w/config", None),
        ] {
            assert_eq!(beside(path.as_bytes()), format, "{path}");
        }
    }
}
