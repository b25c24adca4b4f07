//! What is too wide for an exception: more than any evidence could show. In: an entry of a list. Out: why, as a lowercase fragment.

use std::net::IpAddr;

use crate::judge::rules::net_connect::is_metadata;

/// Placeholders that alone stand for what belongs to nobody in particular, or to the user.
const NEVER_ALONE: [&str; 6] = ["{root}", "{home}", "~", "{cargo-home}", "{rustup-home}", "{system}"];
/// Of these one may read and run all, but not write.
const NOT_WRITTEN_ALONE: [&str; 8] =
    ["{workspace}", "{target}", "{packages}", "{registry}", "{toolchain}", "{path}", "{programs}", "{sysroot-programs}"];

/// Why this entry of this list grants more than anybody looked at; `None` for what is narrow.
pub fn why(list: &str, entry: &str) -> Option<String> {
    if list == "connect" {
        return destination(entry).map(|why| format!("`{entry}` is too wide: {why}"));
    }
    let tree = entry.trim_end_matches("/*").trim_end_matches('/');
    let alone = NEVER_ALONE.contains(&tree) || list == "write" && NOT_WRITTEN_ALONE.contains(&tree);
    let top = tree.is_empty() || tree.starts_with('/') && !tree[1..].contains('/');
    let all = entry.rsplit('/').next().is_some_and(|last| last == "*");
    if !(alone || top || all) {
        return None;
    }
    Some(format!("`{entry}` is too wide: name what was needed, a file or a directory of one purpose"))
}

fn destination(entry: &str) -> Option<&'static str> {
    if entry == "loopback" {
        return None;
    }
    let (host, port) = entry.rsplit_once(':')?;
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    match () {
        () if host.contains('*') || port == "*" => Some("name one host and one port"),
        () if address.is_ok_and(is_metadata) => Some("that service hands out the machine's credentials"),
        () => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_can_have_looked_at() {
        for (list, entry, wide) in [
            ("read", "/", true),
            ("read", "{root}", true),
            ("read", "~/", true),
            ("read", "~/*", true),
            ("read", "{home}", true),
            ("read", "/etc", true),
            ("read", "/srv/*", true),
            ("read", "{system}", true),
            ("read", "{workspace}", false),
            ("read", "{workspace}/.env", false),
            ("read", "/etc/foo.conf", false),
            ("read", "~/.config/foo", false),
            ("write", "{workspace}", true),
            ("write", "{target}", true),
            ("write", "{workspace}/gen", false),
            ("write", "/tmp/foo-*", false),
            ("exec", "curl", false),
            ("exec", "/usr/bin/curl", false),
            ("unix", "/run/foo.sock", false),
            ("connect", "*:*", true),
            ("connect", "*:443", true),
            ("connect", "*.org:443", true),
            ("connect", "cdn.example.org:*", true),
            ("connect", "169.254.169.254:80", true),
            ("connect", "cdn.example.org:443", false),
            ("connect", "[::1]:5432", false),
            ("connect", "loopback", false),
        ] {
            assert_eq!(why(list, entry).is_some(), wide, "{list} {entry}");
        }
    }
}
