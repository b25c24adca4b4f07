//! Programs that the user named for a build to run: compilers, linkers, and what build scripts start in place of the usual. In: what steers cargo, its
//! environment, cargo's configuration. Out: compilers; files. A repository's word counts for nothing here.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use toml::{Table, Value};

use super::configured::users_words;
use super::named_places::is_program;
use super::steering::Steering;
use super::whose::{Ground, Words};
use crate::attribute::invocation::Invocation;
use crate::attribute::source::clean;
use crate::model::ActorKind;

/// Variables by which build scripts are told what to start (the crates `cc`, `cmake`, `pkg-config`, `prost-build`, `bindgen`, `pyo3-build-config`; autoconf);
/// also for one target (`CC_x86_64-unknown-linux-gnu`), and with `HOST_` or `TARGET_` before them.
const TOOLS: [&str; 28] = [
    "RUSTC",
    "RUSTDOC",
    "RUSTFMT",
    "CC",
    "CXX",
    "CPP",
    "AS",
    "AR",
    "NM",
    "RANLIB",
    "LD",
    "STRIP",
    "OBJCOPY",
    "NASM",
    "YASM",
    "MAKE",
    "CMAKE",
    "NINJA",
    "PKG_CONFIG",
    "PERL",
    "PYTHON",
    "PYO3_PYTHON",
    "PYTHON_SYS_EXECUTABLE",
    "PROTOC",
    "LLVM_CONFIG",
    "LLVM_CONFIG_PATH",
    "CLANG_PATH",
    "LINKER",
];

/// What the user says, and where it is said.
pub struct Told<'a> {
    steering: &'a Steering,
    env: &'a [(OsString, OsString)],
    here: &'a Path,
    words: Words,
}

impl<'a> Told<'a> {
    /// Reads cargo's configuration.
    pub fn read(steering: &'a Steering, env: &'a [(OsString, OsString)], ground: &Ground<'a>) -> Self {
        Told { steering, env, here: ground.here, words: Words::read(ground) }
    }

    /// What cargo is to start as compilers: by a path, or by a name that is looked for.
    pub fn compilers(&self) -> Vec<(PathBuf, ActorKind)> {
        let kind = |name: &str| match name {
            "RUSTC" | "CARGO_BUILD_RUSTC" | "rustc" => Some(ActorKind::Rustc),
            "RUSTDOC" | "CARGO_BUILD_RUSTDOC" | "rustdoc" => Some(ActorKind::Rustdoc),
            _ => None,
        };
        let named = self.env.iter().filter(|(_, path)| !path.is_empty());
        let mut found: Vec<_> =
            named.filter_map(|(name, path)| Some((placed(Path::new(path), self.here), kind(name.to_str()?)?))).collect();
        for (table, base) in self.tables() {
            let build = section(table, "build").into_iter().flatten();
            found.extend(build.filter_map(|(name, path)| Some((placed(Path::new(path.as_str()?), base), kind(name)?))));
        }
        found
    }

    /// Files, by their real paths: compilers, linkers, and what variables name, those of the user's own cargo configuration among them.
    pub fn programs(&self) -> Vec<PathBuf> {
        let mut named: Vec<PathBuf> = self.compilers().into_iter().map(|(path, _)| path).collect();
        named.extend(Invocation::read(&users_words(self.steering, self.env), self.here, false).linker);
        let mut value = |name: &str, value: &str| {
            let words = value.split_whitespace().filter(|_| names_a_tool(name));
            named.extend(words.map(PathBuf::from));
        };
        self.env.iter().filter_map(|(name, text)| Some((name.to_str()?, text.to_str()?))).for_each(|(name, text)| value(name, text));
        for (table, _) in self.tables() {
            let set = section(table, "env").into_iter().flatten();
            set.filter_map(|(name, set)| Some((name, set.get("value").unwrap_or(set).as_str()?)))
                .for_each(|(name, text)| value(name, text));
        }
        for (table, base) in self.tables() {
            let targets = section(table, "target").into_iter().flat_map(Table::values);
            named.extend(targets.filter_map(|target| Some(placed(Path::new(target.get("linker")?.as_str()?), base))));
        }
        let mut found: Vec<PathBuf> =
            named.into_iter().filter(|path| path.is_absolute() && is_program(path)).filter_map(|path| path.canonicalize().ok()).collect();
        found.sort();
        found.dedup();
        found
    }

    /// The user's own words, each with the directory its paths are relative to: the one that holds `.cargo`, or where cargo was started.
    fn tables(&self) -> impl Iterator<Item = (&Table, &Path)> {
        let users = self.words.said.iter().filter(|said| said.is_users);
        users.map(|said| (&said.table, said.file.parent().and_then(Path::parent).unwrap_or(self.here)))
    }
}

fn section<'t>(table: &'t Table, name: &str) -> Option<&'t Table> {
    table.get(name).and_then(Value::as_table)
}

/// What is no path is looked for by its name.
fn placed(path: &Path, base: &Path) -> PathBuf {
    if path.components().count() == 1 { path.to_owned() } else { clean(&base.join(path)) }
}

fn names_a_tool(name: &str) -> bool {
    if name.starts_with("CARGO_TARGET_") {
        return name.ends_with("_LINKER");
    }
    let name = ["HOST_", "TARGET_"].iter().find_map(|whose| name.strip_prefix(whose)).unwrap_or(name);
    let is_target = |rest: &str| rest.starts_with(|first: char| first.is_ascii_lowercase());
    let is_it = |rest: &str| rest.is_empty() || rest.strip_prefix('_').is_some_and(is_target);
    TOOLS.iter().any(|tool| name.strip_prefix(tool).is_some_and(is_it))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_that_name_tools() {
        for name in ["RUSTC", "CC", "CC_x86_64-unknown-linux-gnu", "HOST_CC", "TARGET_AR", "CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_LINKER"] {
            assert!(names_a_tool(name), "{name}");
        }
        for name in ["SHELL", "EDITOR", "GIT_ASKPASS", "CCACHE_DIR", "CC_ENABLE_DEBUG_OUTPUT", "RUSTC_WRAPPER", "CARGO_TARGET_DIR", "_"] {
            assert!(!names_a_tool(name), "{name}");
        }
    }

    /// Both write the same into a configuration file.
    #[test]
    fn the_users_word_counts_and_the_repositorys_does_not() {
        let dir = tempfile::tempdir().unwrap();
        let home = dir.path().canonicalize().unwrap();
        for (file, mode) in [("bin/cc", 0o755), ("bin/rustc.sh", 0o755), ("bin/link", 0o755), ("bin/notes", 0o644), ("flags/ld", 0o755)] {
            std::fs::create_dir_all(home.join(file).parent().unwrap()).unwrap();
            std::fs::write(home.join(file), "").unwrap();
            std::fs::set_permissions(home.join(file), std::os::unix::fs::PermissionsExt::from_mode(mode)).unwrap();
        }
        let there = home.display();
        let text = format!(
            "[build]\nrustc = \"bin/rustc.sh\"\n[target.x]\nlinker = '{there}/bin/link'\n[env]\nCC = {{ value = '{there}/bin/cc' }}\nAR = '{there}/bin/notes'"
        );
        let env = [("RUSTFLAGS".into(), format!("-Clinker={there}/flags/ld").into()), ("EDITOR".into(), format!("{there}/bin/cc").into())];
        let (workspace, cargo_home) = (home.join("app"), home.join(".cargo"));
        let steering = Steering::default();
        for (users, file) in [(true, ".cargo/config.toml"), (false, "app/.cargo/config.toml")] {
            std::fs::create_dir_all(home.join(file).parent().unwrap()).unwrap();
            std::fs::write(home.join("app/Cargo.toml"), "").unwrap_or_default();
            std::fs::write(home.join(file), &text).unwrap();
            let ground = Ground { here: &workspace, home: Some(&home), cargo_home: &cargo_home, workspace: Some(&workspace), typed: &[] };
            let told = Told::read(&steering, &env, &ground);
            let configured = ["bin/cc", "bin/link", "bin/rustc.sh"].iter().filter(|_| users).chain(&["flags/ld"]);
            assert_eq!(told.programs(), configured.map(|name| home.join(name)).collect::<Vec<_>>(), "{file}");
            let compilers = [(home.join("bin/rustc.sh"), ActorKind::Rustc)];
            assert_eq!(told.compilers(), compilers[usize::from(!users)..], "{file}");
            std::fs::remove_file(home.join(file)).unwrap();
        }
    }
}
