//! When a version was published, and how long ago that is: what cargo has kept of the public registry's index, so nothing is asked of anybody. In: cargo's home, a
//! name, a version. Out: seconds since the epoch; nothing where cargo has not kept it, or the index does not say.

use std::io::Read;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::plan::exceptions::day::Day;
use crate::plan::public;

/// Of one package, whatever it is: the longest honest one has some hundred kilobytes.
const LONGEST: u64 = 64 << 20;

#[derive(Deserialize)]
struct Entry {
    vers: String,
    /// `2019-10-05T19:52:26Z`
    pubtime: Option<String>,
}

pub fn of(cargo_home: &Path, name: &str, version: &str) -> Option<u64> {
    let indices = std::fs::read_dir(cargo_home.join("registry/index")).ok()?.flatten();
    let public = indices.filter(|index| public::unpacked(&index.file_name()).is_some());
    public.into_iter().find_map(|index| in_cache(&read(&index.path().join(".cache").join(place(name)?))?, version))
}

/// Where cargo keeps a package's entries (`cargo_util_registry::make_dep_path`): by its first letters.
pub fn place(name: &str) -> Option<PathBuf> {
    let name = name.to_ascii_lowercase();
    let plain = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_');
    let front = match name.len() {
        _ if !plain => return None,
        1 => "1".to_owned(),
        2 => "2".to_owned(),
        3 => format!("3/{}", &name[..1]),
        _ => format!("{}/{}", &name[..2], &name[2..4]),
    };
    Some(Path::new(&front).join(name))
}

fn read(path: &Path) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).ok().filter(|file| file.metadata().is_ok_and(|facts| facts.is_file()))?;
    file.take(LONGEST).read_to_end(&mut bytes).ok()?;
    Some(bytes)
}

/// Numbers of versions of this form, then a version and its entry of the index, each with a zero behind it.
fn in_cache(bytes: &[u8], version: &str) -> Option<u64> {
    let entries = bytes.split(|byte| *byte == 0).filter(|part| part.starts_with(b"{"));
    let entry = entries.filter_map(|part| serde_json::from_slice::<Entry>(part).ok()).find(|entry| entry.vers == version)?;
    seconds(&entry.pubtime?)
}

fn seconds(text: &str) -> Option<u64> {
    let (date, time) = text.strip_suffix('Z')?.split_once('T')?;
    let numbers = |text: &str, mark: char| -> Option<Vec<i64>> {
        text.split(mark).map(|part| part.split('.').next()?.parse::<u32>().ok().map(i64::from)).collect()
    };
    let (date, time) = (numbers(date, '-')?, numbers(time, ':')?);
    let (&[year, month, day], &[hour, minute, second]) = (date.as_slice(), time.as_slice()) else { return None };
    let days = Day::of(year, month, day)?.number();
    if hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    u64::try_from(days * 86_400 + hour * 3600 + minute * 60 + second).ok()
}

/// "5 hours ago"
pub fn ago(then: u64, now: u64) -> String {
    let since = now.saturating_sub(then);
    let (count, unit) = match since {
        0..60 => return "just now".to_owned(),
        60..3600 => (since / 60, "minute"),
        3600..172_800 => (since / 3600, "hour"),
        172_800..63_072_000 => (since / 86_400, "day"),
        _ => (since / 31_536_000, "year"),
    };
    format!("{count} {unit}{} ago", if count == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cargo_keeps_of_the_index() {
        let home = tempfile::tempdir().unwrap();
        let entry = |version: &str, time: &str| format!("{version}\0{{\"name\":\"anyhow\",\"vers\":\"{version}\",\"deps\":[]{time}}}\0");
        let time = ",\"pubtime\":\"2019-10-05T19:52:26Z\"";
        let text = ["\x03\x02\0\0\0etag\0", &entry("1.0.0", time), &entry("1.0.1", ""), &entry("1.0.2", ",\"pubtime\":\"soon\"")].concat();
        // By the way the registry writes the name of its directory, and no other.
        let front = format!("index.{}", public::NAME);
        for (dir, known) in [("index.example.org-1949cf8c6b5b557f".to_owned(), false), (format!("{front}-1949cf8c6b5b557f"), true)] {
            let cache = home.path().join("registry/index").join(dir).join(".cache/an/yh");
            std::fs::create_dir_all(&cache).unwrap();
            std::fs::write(cache.join("anyhow"), &text).unwrap();
            assert_eq!(of(home.path(), "anyhow", "1.0.0"), known.then_some(1_570_305_146));
        }
        for (name, version) in
            [("anyhow", "1.0.1"), ("anyhow", "1.0.2"), ("anyhow", "2.0.0"), ("other", "1.0.0"), ("../x", "1.0.0"), ("", "1.0.0")]
        {
            assert_eq!(of(home.path(), name, version), None, "{name} {version}");
        }
        for (name, expected) in [("a", "1/a"), ("ab", "2/ab"), ("Abc", "3/a/abc"), ("abcd", "ab/cd/abcd")] {
            assert_eq!(place(name), Some(expected.into()));
        }
    }

    #[test]
    fn how_long_ago() {
        for (since, expected) in [
            (3, "just now"),
            (61, "1 minute ago"),
            (5 * 3600 + 7, "5 hours ago"),
            (47 * 3600, "47 hours ago"),
            (3 * 86_400, "3 days ago"),
            (800 * 86_400, "2 years ago"),
        ] {
            assert_eq!(ago(1_790_000_000 - since, 1_790_000_000), expected);
        }
        // A clock that is behind.
        assert_eq!(ago(10, 3), "just now");
    }
}
