//! Fetch and build: which of cargo's work needs the network, and what cargo is called with for each. In: what was typed, the profile's word, what
//! is there already. Out: [`Phases`].
//!
//! What is missing is fetched by cargo alone, before any code of others runs; then cargo builds with no network and no credential, so that
//! nothing a build leaves behind can talk it into using either.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use toml::Value;

use crate::judge::environment::{EnvVerdict, Environment};
use crate::model::ActorKind;
use crate::model::report::Weakness;
use crate::model::subcommand as cargos;
use crate::plan::cargo_files;
use crate::plan::steering::Steering;

/// When cargo has a network: a profile's `[cargo] network`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Network {
    /// While it fetches.
    #[default]
    Fetch,
    /// In every phase.
    Always,
}

impl Network {
    pub const ALL: [Network; 2] = [Network::Fetch, Network::Always];

    pub fn name(self) -> &'static str {
        match self {
            Network::Fetch => "fetch",
            Network::Always => "always",
        }
    }
}

/// What a subcommand does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Work {
    /// Builds the workspace, or is none of cargo's own and may do so.
    Builds,
    /// The network is its point, or nothing is built.
    Talks,
    /// Both, in one go.
    Both,
}

/// Cargo's own that do: they read `--offline` themselves.
const BUILDS: [&str; 14] = ["build", "b", "check", "c", "test", "t", "bench", "run", "r", "doc", "d", "rustc", "rustdoc", "fix"];
/// Of those that do not build the workspace: they may run code of packages, and fetch meanwhile.
const BOTH: [&str; 3] = ["install", "package", "publish"];

fn work(steering: &Steering) -> Work {
    let subcommand = steering.subcommand.as_deref().unwrap_or_default();
    let is = |names: &[&str]| names.iter().any(|name| subcommand == *name);
    if subcommand == "install" && steering.path.is_some() && steering.locked {
        // Of the workspace's lock file, so what is needed can be fetched before.
        return Work::Builds;
    }
    if steering.asks_for_help {
        return Work::Talks;
    }
    match (is(&BOTH), !subcommand.to_str().is_none_or(cargos::builds)) {
        (true, _) if !steering.runs_nothing => Work::Both,
        (_, true) => Work::Talks,
        _ => Work::Builds,
    }
}

/// How cargo goes about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Phases {
    pub fetch: bool,
    /// Has cargo a network where it does what was typed?
    pub network: bool,
    weakness: Option<&'static str>,
}

impl Phases {
    /// `lacks` says that something the workspace needs is not there.
    pub fn of(steering: &Steering, network: Network, lacks: bool) -> Phases {
        match (work(steering), network) {
            (Work::Talks, _) => Phases { fetch: false, network: true, weakness: None },
            (Work::Both, _) => Phases { fetch: false, network: true, weakness: Some("this subcommand fetches and builds in one go") },
            (Work::Builds, Network::Always) => {
                Phases { fetch: false, network: true, weakness: Some("the profile says `network = \"always\"`") }
            }
            (Work::Builds, Network::Fetch) => Phases { fetch: lacks && !steering.offline, network: false, weakness: None },
        }
    }

    /// Is cargo to be asked for all of the graph before it begins?
    pub fn asks(steering: &Steering) -> bool {
        work(steering) == Work::Builds
    }

    pub fn weakness(&self) -> Option<Weakness> {
        self.weakness.map(|why| Weakness {
            what: "cargo has the network while it builds".into(),
            means: format!("{why}: code of packages runs while cargo can reach the network, and has what the user gave it to do so"),
            covered: false,
        })
    }

    /// What cargo is called with: without a network it is told so, and then asks for nothing.
    pub fn arguments(&self, steering: &Steering, typed: &[OsString]) -> Vec<OsString> {
        let mut arguments = typed.to_vec();
        if !self.network && !steering.offline {
            arguments.insert(usize::from(steering.toolchain.is_some()), "--offline".into());
        }
        arguments
    }

    /// The same for those who start cargo themselves, and would not hand the word on. Whoever cargo starts is not to see it.
    pub fn variable(&self, steering: &Steering) -> Option<&'static str> {
        let own = BUILDS.iter().any(|name| steering.subcommand.as_deref() == Some(OsStr::new(name)));
        (!self.network && !own).then_some(OFFLINE)
    }

    /// Cargo's environment while it does what was typed, and the names that were left out. Without a network it needs no credential.
    pub fn environment(
        &self,
        steering: &Steering,
        env: &[(OsString, OsString)],
        withheld: &Environment,
    ) -> (Vec<(OsString, OsString)>, Vec<String>) {
        if self.network {
            return (env.to_vec(), Vec::new());
        }
        let (out, mut kept): (Vec<_>, Vec<_>) = env.iter().cloned().partition(|(name, value)| is_credential(withheld, name, value));
        if let Some(variable) = self.variable(steering) {
            kept.retain(|(name, _)| name != variable);
            kept.push((variable.into(), "true".into()));
        }
        (kept, out.into_iter().map(|(name, _)| name.to_string_lossy().into_owned()).collect())
    }
}

const OFFLINE: &str = "CARGO_NET_OFFLINE";

/// What no actor may see, but for the addresses of registries, by which cargo knows their packages.
fn is_credential(withheld: &Environment, name: &OsStr, value: &OsStr) -> bool {
    let (name, value) = (name.as_encoded_bytes(), value.as_encoded_bytes());
    let address = name.starts_with(b"CARGO_REGISTR") && [&b"_INDEX"[..], b"_PROTOCOL", b"_DEFAULT"].iter().any(|end| name.ends_with(end));
    !address && withheld.decide(ActorKind::Rustc, name, value) == EnvVerdict::Withhold
}

/// The platforms whose packages a build needs: the compiler's own, for build scripts and macros, and those it builds for, where they were named:
/// typed, in the environment, or by the nearest configuration file that does.
pub fn platforms(host: &str, steering: &Steering, env: &[(OsString, OsString)], within: &Within) -> Vec<OsString> {
    let mut named = steering.targets.clone();
    if named.is_empty() {
        named.extend(env.iter().find(|(name, value)| name == "CARGO_BUILD_TARGET" && !value.is_empty()).map(|(_, value)| value.clone()));
    }
    if named.is_empty() {
        named = cargo_files::all(&within.dir, &within.cargo_home).find_map(|file| configured(&file)).unwrap_or_default();
    }
    let mut platforms = vec![OsString::from(host)];
    for name in named.into_iter().filter(|name| name != "host-tuple") {
        if !platforms.contains(&name) {
            platforms.push(name);
        }
    }
    platforms
}

/// Where cargo was started, and its home: the files that configure it.
pub struct Within {
    pub dir: PathBuf,
    pub cargo_home: PathBuf,
}

/// `build.target` of a configuration file: a name or several, each perhaps the path of a specification, from the directory `.cargo` lies in.
fn configured(file: &Path) -> Option<Vec<OsString>> {
    let table = cargo_files::read(file)?;
    let named: Vec<&str> = match table.get("build")?.get("target")? {
        Value::String(name) => vec![name],
        Value::Array(names) => names.iter().filter_map(Value::as_str).collect(),
        _ => return None,
    };
    let base = file.parent().and_then(Path::parent).unwrap_or(Path::new("/"));
    let spelt = |name: &str| if name.ends_with(".json") { base.join(name).into_os_string() } else { name.into() };
    Some(named.into_iter().map(spelt).collect())
}

/// The platform a toolchain's own programs are made for, as it lies there: a directory of libraries for each platform, and programs for this one.
pub fn host_of(toolchain: &Path) -> Option<String> {
    let known = std::fs::read_dir(toolchain.join("lib/rustlib")).ok()?.flatten();
    let mut names: Vec<(bool, String)> = known
        .filter_map(|entry| Some((entry.path(), entry.file_name().into_string().ok()?)))
        .filter(|(path, name)| name.starts_with(std::env::consts::ARCH) && name.contains("-linux-") && path.join("lib").is_dir())
        .map(|(path, name)| (!path.join("bin").is_dir(), name))
        .collect();
    names.sort();
    names.into_iter().next().map(|(_, name)| name)
}

/// `cargo metadata` as it fetches: the words behind the program's name.
pub fn fetch(steering: &Steering, platforms: &[OsString]) -> Vec<OsString> {
    let mut words: Vec<OsString> = steering.toolchain.iter().cloned().collect();
    words.extend(["metadata".into(), "--format-version=1".into()]);
    words.extend(platforms.iter().flat_map(|platform| ["--filter-platform".into(), platform.clone()]));
    words.extend(steering.graph());
    words.extend(steering.manner.iter().cloned());
    words
}

/// Whether what this command needs is there, although not all the workspace needs is: cargo answers by succeeding.
pub fn suffices(steering: &Steering) -> Vec<OsString> {
    let mut words: Vec<OsString> = steering.toolchain.iter().cloned().collect();
    words.extend(["tree", "--offline", "--depth=0"].map(OsString::from));
    words.extend((!steering.locked).then(|| "--locked".into()));
    words.extend(steering.question());
    words.extend(steering.selection.iter().cloned());
    words.extend(steering.targets.iter().flat_map(|target| ["--target".into(), target.clone()]));
    if !steering.tests {
        words.extend(["--edges", "normal,build"].map(OsString::from));
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judge::environment::EnvironmentLists;

    fn words(text: &str) -> Vec<OsString> {
        text.split_whitespace().map(OsString::from).collect()
    }

    fn phases(typed: &str, lacks: bool) -> Phases {
        Phases::of(&Steering::read(&words(typed)), Network::Fetch, lacks)
    }

    #[test]
    fn what_builds_has_no_network_and_fetches_only_what_is_missing() {
        for typed in ["build", "t", "run -- --offline", "+nightly check", "clippy", "nextest run", "xtask", "install --path . --locked"] {
            assert_eq!(phases(typed, false), Phases { fetch: false, network: false, weakness: None }, "{typed}");
            assert!(phases(typed, true).fetch, "{typed}");
        }
        for typed in ["build --offline", "--frozen test", "run --offline -- x"] {
            assert!(!phases(typed, true).fetch && !phases(typed, true).network, "{typed}");
        }
        for typed in ["update", "fetch", "add serde", "publish --no-verify", "package --list", "--version", ""] {
            let phases = phases(typed, true);
            assert!(!phases.fetch && phases.network && phases.weakness().is_none(), "{typed}");
        }
        for typed in ["install ripgrep", "install --path .", "publish", "package"] {
            let phases = phases(typed, true);
            assert!(!phases.fetch && phases.network && phases.weakness().is_some(), "{typed}");
        }
        let always = Phases::of(&Steering::read(&words("build")), Network::Always, true);
        assert!(!always.fetch && always.network && always.weakness().is_some());
    }

    #[test]
    fn cargo_is_told_in_the_way_it_listens_to() {
        for (typed, told, variable) in [
            ("build --release", "--offline build --release", false),
            ("+nightly test -- x", "+nightly --offline test -- x", false),
            ("build --offline", "build --offline", false),
            ("clippy", "--offline clippy", true),
            ("update", "update", false),
        ] {
            let steering = Steering::read(&words(typed));
            let phases = Phases::of(&steering, Network::Fetch, false);
            assert_eq!(phases.arguments(&steering, &words(typed)), words(told));
            assert_eq!(phases.variable(&steering).is_some(), variable, "{typed}");
        }
    }

    #[test]
    fn credentials_are_for_fetching_and_addresses_for_both() {
        let environment = Environment::compile(&EnvironmentLists { pass: vec!["MY_TOKEN".into()], ..EnvironmentLists::default() });
        let given =
            ["PATH", "MY_TOKEN", "CARGO_REGISTRY_TOKEN", "CARGO_REGISTRIES_ZOO_TOKEN", "CARGO_REGISTRIES_ZOO_INDEX", "SSH_AUTH_SOCK"];
        let given = given.map(|name| (OsString::from(name), OsString::from("/x")));
        let steering = Steering::read(&words("nextest run"));
        let (kept, out) = Phases::of(&steering, Network::Fetch, false).environment(&steering, &given, &environment);
        assert_eq!(out, ["CARGO_REGISTRY_TOKEN", "CARGO_REGISTRIES_ZOO_TOKEN", "SSH_AUTH_SOCK"]);
        let kept: Vec<_> = kept.iter().map(|(name, _)| name.to_str().unwrap()).collect();
        assert_eq!(kept, ["PATH", "MY_TOKEN", "CARGO_REGISTRIES_ZOO_INDEX", "CARGO_NET_OFFLINE"]);
        let steering = Steering::read(&words("publish"));
        assert_eq!(Phases::of(&steering, Network::Fetch, false).environment(&steering, &given, &environment), (given.to_vec(), Vec::new()));
    }

    #[test]
    fn targets_are_typed_or_said_by_the_nearest_file() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().canonicalize().unwrap();
        for (file, text) in [
            ("a/.cargo/config.toml", "[build]\ntarget = [\"spec.json\", \"wasm32-unknown-unknown\"]\n"),
            ("home/config.toml", "build.target = \"far\"\n"),
            ("a/b/.cargo/config.toml", "[build]\njobs = 1\n"),
        ] {
            std::fs::create_dir_all(root.join(file).parent().unwrap()).unwrap();
            std::fs::write(root.join(file), text).unwrap();
        }
        let of = |typed: &str, env: &[(OsString, OsString)], at: &str| {
            let within = Within { dir: root.join(at), cargo_home: root.join("home") };
            platforms("host", &Steering::read(&words(typed)), env, &within)
        };
        let spec = root.join("a/spec.json").into_os_string();
        assert_eq!(of("build", &[], "a/b"), [OsString::from("host"), spec, "wasm32-unknown-unknown".into()]);
        assert_eq!(of("build", &[], "c"), words("host far"));
        assert_eq!(of("build", &[("CARGO_BUILD_TARGET".into(), "env".into())], "a/b"), words("host env"));
        assert_eq!(of("build --target x --target=host-tuple", &[], "a/b"), words("host x"));
    }

    #[test]
    fn a_toolchain_has_programs_for_its_own_platform() {
        let dir = tempfile::tempdir().unwrap();
        let arch = std::env::consts::ARCH;
        assert_eq!(host_of(dir.path()), None);
        for name in [format!("{arch}-unknown-linux-gnu/lib"), format!("{arch}-unknown-linux-musl/lib"), "wasm32-unknown-unknown/lib".into()]
        {
            std::fs::create_dir_all(dir.path().join("lib/rustlib").join(name)).unwrap();
        }
        assert_eq!(host_of(dir.path()), Some(format!("{arch}-unknown-linux-gnu")));
        std::fs::create_dir(dir.path().join(format!("lib/rustlib/{arch}-unknown-linux-musl/bin"))).unwrap();
        assert_eq!(host_of(dir.path()), Some(format!("{arch}-unknown-linux-musl")));
    }
}
