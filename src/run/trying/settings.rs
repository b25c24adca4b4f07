//! Which registry a trial fetches from: of the user's cargo configuration what says where public packages lie, and nothing of credentials, programs or
//! flags. In: the user's `config.toml`. Out: another one.

use std::path::{Path, PathBuf};

use toml::{Table, Value};

/// What of each table may come along.
const HTTP: [&str; 6] = ["proxy", "timeout", "cainfo", "ssl-version", "low-speed-limit", "multiplexing"];
const NET: [&str; 1] = ["retry"];
/// Of a source; `token` and the like are not among them.
const SOURCE: [&str; 8] = ["replace-with", "registry", "local-registry", "directory", "git", "branch", "tag", "rev"];

/// The settings of the user whose cargo home this is; none where there is no readable file.
pub fn of(cargo_home: &Path) -> Table {
    // As cargo has it, which heeds the first of both.
    let file = ["config", "config.toml"].iter().map(|name| cargo_home.join(name)).find(|file| file.is_file());
    file.map(|file| read(&file)).unwrap_or_default()
}

/// Those of one file.
pub fn read(file: &Path) -> Table {
    let text = std::fs::read_to_string(file).ok();
    text.and_then(|text| text.parse::<Table>().ok()).map(|table| public(&table)).unwrap_or_default()
}

/// The registry on this machine that takes the public one's place, if there is one.
pub fn local(table: &Table) -> Option<PathBuf> {
    let sources = table.get("source")?;
    let mut name = sources.get("crates-io")?.get("replace-with")?.as_str()?;
    // One may be replaced by another in turn; cargo refuses circles.
    for _ in 0..8 {
        let source = sources.get(name)?;
        if let Some(dir) = source.get("local-registry").and_then(Value::as_str) {
            return Some(PathBuf::from(dir));
        }
        name = source.get("replace-with")?.as_str()?;
    }
    None
}

/// Directories of this machine that packages are taken from, which cargo looks at whenever it builds.
pub fn directories(table: &Table) -> Vec<PathBuf> {
    let sources = table.get("source").and_then(Value::as_table).into_iter().flatten().filter_map(|(_, source)| source.as_table());
    let named = sources.flat_map(|source| ["local-registry", "directory"].into_iter().filter_map(|name| source.get(name)?.as_str()));
    named.map(PathBuf::from).filter(|path| path.is_absolute()).collect()
}

fn public(table: &Table) -> Table {
    let mut out = Table::new();
    let part = |name: &str, keys: &[&str]| -> Option<Table> {
        let kept: Table = keys.iter().filter_map(|key| Some(((*key).to_owned(), table.get(name)?.get(key)?.clone()))).collect();
        (!kept.is_empty()).then_some(kept)
    };
    for (name, keys) in [("http", &HTTP[..]), ("net", &NET)] {
        if let Some(kept) = part(name, keys) {
            out.insert(name.to_owned(), Value::Table(kept));
        }
    }
    // Sources may have addresses with passwords in them: such a one is left out whole.
    for (name, keys) in [("source", &SOURCE[..]), ("registries", &["index"])] {
        let named = table.get(name).and_then(Value::as_table).into_iter().flatten();
        let kept: Table = named
            .filter_map(|(name, value)| {
                let value = value.as_table()?;
                let kept: Table = keys.iter().filter_map(|key| Some(((*key).to_owned(), value.get(*key)?.clone()))).collect();
                let secret = kept.values().filter_map(Value::as_str).any(|text| text.contains('@') && text.contains("://"));
                (!secret && !kept.is_empty()).then(|| (name.clone(), Value::Table(kept)))
            })
            .collect();
        if !kept.is_empty() {
            out.insert(name.to_owned(), Value::Table(kept));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_packages_lie_and_nothing_else() {
        let text = r#"
            [build]
            rustc-wrapper = "/home/u/wrap"
            [http]
            proxy = "http://proxy:3128"
            [registry]
            token = "secret"
            [registries.corp]
            index = "sparse+https://corp.example/"
            token = "secret"
            [source.crates-io]
            replace-with = "mirror"
            [source.mirror]
            registry = "sparse+https://mirror.example/"
            [source.private]
            registry = "https://u:secret@private.example/"
            [env]
            X = "secret"
        "#;
        let out = public(&text.parse().unwrap());
        let text = out.to_string();
        assert!(!text.contains("secret") && !text.contains("wrap") && !text.contains("private"), "{text}");
        assert_eq!(out["source"]["crates-io"]["replace-with"].as_str(), Some("mirror"));
        assert_eq!(out["http"]["proxy"].as_str(), Some("http://proxy:3128"));
        assert_eq!(out["registries"]["corp"]["index"].as_str(), Some("sparse+https://corp.example/"));
    }
}
