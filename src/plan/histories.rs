//! Histories of shells and of interpreters that ask at a terminal. In: the environment cargo is to get. Out: the same, and words by which they keep
//! none: what the user typed is no business of a shell that a test starts, which reads it by habit and adds to it as it ends.

use std::ffi::OsString;

/// Each by its own manual: bash and zsh (`HISTFILE`), less, node, Python since 3.13, sqlite3.
const NONE: [(&str, &str); 5] =
    [("HISTFILE", ""), ("LESSHISTFILE", "-"), ("NODE_REPL_HISTORY", ""), ("PYTHON_HISTORY", "/dev/null"), ("SQLITE_HISTORY", "/dev/null")];

/// Tells them to keep none, wherever the user keeps it.
pub fn leave_out(env: &mut Vec<(OsString, OsString)>) {
    env.retain(|(name, _)| !NONE.iter().any(|(known, _)| name == known));
    env.extend(NONE.map(|(name, value)| (name.into(), value.into())));
}
