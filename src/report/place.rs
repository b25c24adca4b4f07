//! Where a finding is shown: a file of the repository and a line. In: a report, a location as findings have it. Out: a path without a way up.

use crate::model::report::Report;

/// Every result needs a place to be shown at all.
pub fn place(report: &Report, location: Option<&str>) -> (String, u64) {
    let (path, line) = placed(report, location);
    (encoded(path.as_bytes()), line)
}

/// A path as part of a URI.
pub fn encoded(path: &[u8]) -> String {
    let one = |byte: &u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'/' | b'.' | b'-' | b'_' => char::from(*byte).to_string(),
        byte => format!("%{byte:02X}"),
    };
    path.iter().map(one).collect()
}

/// `Cargo.lock:1204` → the file, as the repository has it, and its line; without a location, or with one that leads out of the repository, the lock file
/// as a whole.
pub fn placed(report: &Report, location: Option<&str>) -> (String, u64) {
    let within = report.run.within.as_ref().and_then(|within| std::str::from_utf8(within.as_bytes()).ok()).unwrap_or_default();
    let (path, line) = location.map_or(("", 1), |location| {
        let line = location.rsplit_once(':').and_then(|(path, line)| Some((path, line.parse::<u64>().ok()?)));
        line.map_or((location, 1), |(path, line)| (path, line.max(1)))
    });
    match inside(within, path) {
        Some(path) => (path, line),
        None => (inside(within, "Cargo.lock").unwrap_or_else(|| "Cargo.lock".to_owned()), 1),
    }
}

/// `path` from `within`, without a way up; `None` where it leads out, or nowhere.
fn inside(within: &str, path: &str) -> Option<String> {
    if path.is_empty() || path.starts_with('/') || within.starts_with('/') {
        return None;
    }
    let mut parts: Vec<&str> = Vec::new();
    for part in within.split('/').chain(path.split('/')) {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()?),
            part => parts.push(part),
        }
    }
    (!parts.is_empty()).then(|| parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::assemble;
    use crate::report::samples::*;

    #[test]
    fn locations() {
        let mut report = assemble(&stolen_env(), &facts(), &Graph);
        for (within, given, expected) in [
            ("", None, ("Cargo.lock", 1)),
            ("", Some("Cargo.lock:0"), ("Cargo.lock", 1)),
            ("", Some("a b/build.rs"), ("a%20b/build.rs", 1)),
            ("", Some("a:b:7"), ("a%3Ab", 7)),
            ("", Some("../a/build.rs:7"), ("Cargo.lock", 1)),
            ("", Some("/etc/passwd:7"), ("Cargo.lock", 1)),
            ("", Some(""), ("Cargo.lock", 1)),
            ("rust", None, ("rust/Cargo.lock", 1)),
            ("rust", Some("Cargo.lock:1204"), ("rust/Cargo.lock", 1204)),
            ("a/rust", Some("../shared/build.rs:7"), ("a/shared/build.rs", 7)),
            ("a/rust", Some("../../../x:7"), ("a/rust/Cargo.lock", 1)),
            ("../..", Some("x:7"), ("Cargo.lock", 1)),
            ("/etc", Some("passwd:7"), ("Cargo.lock", 1)),
        ] {
            report.run.within = Some(within.into());
            assert_eq!(place(&report, given), (expected.0.to_owned(), expected.1), "{within} {given:?}");
        }
    }
}
