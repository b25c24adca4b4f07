//! Which of a suspect's examples and programs can be started, by the names that cargo has for them: a manifest may have them lie anywhere. In: its package, of
//! which nothing has run yet. Out: names.

use std::path::Path;

use anyhow::{Context, Result};
use cargo_metadata::{CrateType, Metadata, TargetKind};

use super::members;
use crate::plan::places::real;
use crate::run::stage::Env;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Started {
    pub examples: Vec<String>,
    pub programs: Vec<String>,
}

impl Started {
    /// # Errors
    /// When cargo does not say.
    pub fn of(env: &Env, package: &Path) -> Result<Started> {
        let package = real(package.to_owned());
        Started::among(&members::ask(env, &package)?, &package)
    }

    fn among(said: &Metadata, package: &Path) -> Result<Started> {
        let is_it = |one: &&cargo_metadata::Package| one.manifest_path.parent().is_some_and(|dir| dir == package);
        let own = said.packages.iter().find(is_it).with_context(|| format!("cargo knows of no package in {}", package.display()))?;
        let names = |kind: &TargetKind| {
            // An example may be a library. A name is one of cargo's words, and no option.
            let runs = |target: &&cargo_metadata::Target| {
                target.kind.contains(kind) && target.crate_types.contains(&CrateType::Bin) && !target.name.starts_with('-')
            };
            let mut names: Vec<String> = own.targets.iter().filter(runs).map(|target| target.name.clone()).collect();
            // The one that is called as the package is comes first.
            names.sort_by_key(|name| (**name != **own.name, name.clone()));
            names
        };
        Ok(Started { examples: names(&TargetKind::Example), programs: names(&TargetKind::Bin) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_the_names_that_cargo_has() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().canonicalize().unwrap();
        let put = |file: &str, text: &str| {
            std::fs::create_dir_all(root.join(file).parent().unwrap()).unwrap();
            std::fs::write(root.join(file), text).unwrap();
        };
        let manifest = "[package]\nname = 'zoo'\nversion = '1.0.0'\nedition = '2021'\n[workspace]\n\
            [[bin]]\nname = 'elsewhere'\npath = 'tools/one.rs'\n[[example]]\nname = 'shown'\npath = 'demo/two.rs'\n\
            [[example]]\nname = 'shared'\npath = 'demo/three.rs'\ncrate-type = ['cdylib']\n";
        put("Cargo.toml", manifest);
        for file in [
            "src/main.rs",
            "src/bin/added.rs",
            "tools/one.rs",
            "demo/two.rs",
            "demo/three.rs",
            "examples/plain.rs",
            "examples/many/main.rs",
        ] {
            put(file, "fn main() {}\n");
        }
        let path = ("PATH", std::env::var_os("PATH").unwrap_or_default());
        let env: Env = [("CARGO", env!("CARGO").into()), path].map(|(name, value)| (name.into(), value)).to_vec();
        let started = Started::of(&env, &root).unwrap();
        assert_eq!(started.programs, ["zoo", "added", "elsewhere"]);
        assert_eq!(started.examples, ["many", "plain", "shown"]);
        put("Cargo.toml", "no manifest");
        assert!(Started::of(&env, &root).is_err());
    }
}
