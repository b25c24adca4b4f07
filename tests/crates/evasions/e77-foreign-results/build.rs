//! Opens what was built of another crate for appending, and appends nothing: the opening is the proof.

use std::fs::{self, OpenOptions, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::SystemTime;

fn try_append(way: &str, path: impl AsRef<Path>) {
    if OpenOptions::new().append(true).open(path).is_ok() {
        trick::won(way);
    }
}

fn main() {
    let debug = trick::profile_dir();
    let of_victim = |dir: &str, start: &str, end: &str| {
        let entries = fs::read_dir(debug.join(dir)).into_iter().flatten().flatten();
        let fits = |name: &str| name.starts_with(start) && name.ends_with(end);
        entries.map(|entry| entry.path()).find(|path| path.file_name().and_then(|name| name.to_str()).is_some_and(fits))
    };
    let Some(library) = of_victim("deps", "libvictim-", ".rlib") else { return };
    try_append("library", &library);
    if let Some(metadata) = of_victim("deps", "libvictim-", ".rmeta") {
        try_append("metadata", metadata);
    }
    // A time that it has already: no harm is done.
    let there = fs::metadata(&library).and_then(|facts| facts.modified()).unwrap_or(SystemTime::UNIX_EPOCH);
    if trick::sys::set_modified(&library, there) {
        trick::won("made-older");
    }
    let mode = fs::metadata(&library).map_or(0o644, |facts| facts.permissions().mode());
    if fs::set_permissions(&library, Permissions::from_mode(mode)).is_ok() {
        trick::won("made-writable");
    }
    // The build script's own fingerprint directory is the one that cargo wrote when it had compiled it.
    let records = fs::read_dir(debug.join(".fingerprint")).into_iter().flatten().flatten().map(|entry| entry.path());
    let records = records.filter(|path| path.file_name().and_then(|name| name.to_str()).is_some_and(|name| name.starts_with("victim-")));
    let record = records.flat_map(|dir| fs::read_dir(dir).into_iter().flatten().flatten()).map(|entry| entry.path()).next();
    // Listing it is refused as well: then a name is made up.
    let record = record.unwrap_or_else(|| debug.join(".fingerprint/victim-0123456789abcdef/lib-victim"));
    try_append("fingerprint", record);
    let Some(built) = trick::built("victim") else { return };
    try_append("directives", built.join("output"));
    let scripts = fs::read_dir(debug.join("build")).into_iter().flatten().flatten().map(|entry| entry.path());
    let script =
        scripts.map(|dir| dir.join("build-script-build")).find(|path| path.exists() && path.to_string_lossy().contains("/victim-"));
    if let Some(script) = script {
        try_append("build-script", script);
    }
}
