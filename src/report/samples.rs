//! A small build for tests: `app` uses `imgkit`, which uses `quickfetch-sys`; a macro `evil_macro` runs in the compiler of `app`, and
//! `chrono_anchor` in its tests.

use std::path::PathBuf;

use crate::model::report::{Behaviour, Enforcement, Host, Phases, Run};
use crate::model::{
    Act, Actor, ActorId, ActorKind, Blame, Breach, Candidate, Endpoint, Event, Hostile, Mode, Package, Process, Reviewed, Rule, Severity,
    Status,
};

use super::{Facts, Material, Places, Who};

pub const BUILD: u32 = 4;
pub const RUSTC: u32 = 9;
pub const TESTS: u32 = 12;

pub fn package(name: &str, version: &str) -> Package {
    Package { name: name.into(), version: version.into(), source: None, checksum: None, manifest_dir: None }
}

pub fn actor(id: u32, kind: ActorKind, package: Option<Package>, crate_name: Option<&str>, exe: &str) -> Actor {
    Actor {
        id: ActorId(id),
        kind,
        package,
        host: None,
        pid: id * 100,
        exe: exe.into(),
        argv: vec![exe.into()],
        cwd: "/home/u/app".into(),
        crate_name: crate_name.map(Into::into),
        attributed_by: "cargo's own exec",
        outputs: Vec::new(),
        tmp: PathBuf::from(format!("/tmp/brig-77/{id}")),
        withheld: Vec::new(),
    }
}

/// The three actors most tests need.
pub fn material() -> Material {
    let mut script = actor(
        BUILD,
        ActorKind::BuildScript,
        Some(package("quickfetch-sys", "0.3.2")),
        Some("build_script_build"),
        "/home/u/app/target/debug/build/quickfetch-sys-1f/build-script-build",
    );
    script.outputs = vec!["/home/u/app/target/debug/build/quickfetch-sys-2e/out".into()];
    let rustc = actor(RUSTC, ActorKind::Rustc, Some(package("app", "0.1.0")), Some("app"), "/opt/toolchain/bin/rustc");
    let tests = actor(TESTS, ActorKind::Program, Some(package("app", "0.1.0")), Some("app"), "/home/u/app/target/debug/deps/app-3c");
    let probe = actor(1, ActorKind::Rustc, None, None, "/opt/toolchain/bin/rustc");
    Material { actors: vec![probe, script, rustc, tests], events: 1234, ..Material::default() }
}

pub fn facts() -> Facts {
    let places = [
        ("/home/u/app", "{workspace}"),
        ("/home/u/app/target", "{target}"),
        ("/home/u/.cargo", "{cargo-home}"),
        ("/opt/toolchain", "{toolchain}"),
        ("/home/u", "{home}"),
        ("/tmp/brig-77", "{tmp}"),
    ];
    Facts {
        run: Run {
            id: String::new(),
            command: ["cargo", "test"].map(Hostile::from).to_vec(),
            mode: Mode::Enforce,
            profile: vec!["default".into()],
            policy_digest: "0123456789abcdef".into(),
            workspace: Some("/home/u/app".into()),
            within: None,
            target: Some("/home/u/app/target".into()),
            source: None,
            job: None,
            started: 1_790_000_000,
            costs: crate::model::report::Costs::default(),
            duration_ms: 4200,
            fresh: false,
            timeout_ms: None,
            phases: Phases { fetched: false, offline: true, wanted: 0 },
        },
        host: Host {
            kernel: "6.18.0".into(),
            arch: "x86_64".into(),
            rustc: Some("1.95.0".into()),
            cargo: Some("1.95.0".into()),
            user: "u".into(),
        },
        enforcement: Enforcement {
            landlock_abi: 7,
            probed: true,
            sockets: "private-network".into(),
            degraded: Vec::new(),
            loosened: None,
            floors: Vec::new(),
            vouched: Vec::new(),
        },
        units: Some(3),
        fresh: Some(0),
        not_reached: Some(0),
        cargo_exit: Some(0),
        barred: Vec::new(),
        timed_out: false,
        places: Places::new(places.map(|(path, name)| (PathBuf::from(path), name))),
    }
}

/// The graph of the sample build.
pub struct Graph;

impl Who for Graph {
    fn why(&self, name: &str, _version: &str) -> Vec<String> {
        let path: &[&str] = match name {
            "quickfetch-sys" => &["app 0.1.0", "imgkit 2.1.0", "quickfetch-sys 0.3.2"],
            "evil_macro" => &["app 0.1.0", "evil_macro 0.2.0"],
            "chrono_anchor" => &["app 0.1.0", "chrono_anchor 0.1.0"],
            "app" => &["app 0.1.0"],
            _ => &[],
        };
        path.iter().map(ToString::to_string).collect()
    }

    fn way(&self, packages: &[Package]) -> Vec<String> {
        let mut way: Vec<String> = packages.iter().map(|package| format!("{} {}", package.name, package.version)).collect();
        if let Some(first) = packages.first() {
            way.splice(..1, self.why(&first.name, &first.version));
        }
        way
    }

    fn is_member(&self, package: &Package) -> bool {
        package.name == "app"
    }

    fn needs(&self, package: &Package, other: &Package) -> bool {
        matches!((&*package.name, &*other.name), ("chrono_anchor" | "honest", "http") | ("app", _))
    }

    fn dependents(&self, package: &Package, _within: &Package) -> Vec<Package> {
        match &*package.name {
            "http" => vec![super::samples::package("chrono_anchor", "0.1.0"), super::samples::package("honest", "0.1.0")],
            _ => vec![super::samples::package("app", "0.1.0")],
        }
    }

    fn package_of_crate(&self, crate_name: &str) -> Option<Package> {
        match crate_name {
            "chrono_anchor" => Some(package("chrono_anchor", "0.1.0")),
            "app" => Some(package("app", "0.1.0")),
            "http" | "honest" => Some(package(crate_name, "0.1.0")),
            _ => None,
        }
    }

    fn macro_of_object(&self, object: &Hostile) -> Option<Package> {
        object.as_bytes().windows(10).any(|part| part == b"evil_macro").then(|| package("evil_macro", "0.2.0"))
    }

    fn location(&self, package: &Package, _actor: &Actor, _blame: Option<&Blame>) -> Option<String> {
        match &*package.name {
            "quickfetch-sys" => Some("Cargo.lock:1204".into()),
            _ => None,
        }
    }

    fn lock_location(&self, name: &str, _version: &str) -> Option<String> {
        (name == "quickfetch-sys").then(|| "Cargo.lock:1204".into())
    }
}

pub fn process(actor: u32, pid: u32, parent: u32, exe: &str, argv: &[&str]) -> Process {
    let argv = argv.iter().map(|word| Hostile::from(*word)).collect();
    Process { actor: ActorId(actor), pid, parent, exe: exe.into(), argv, started_ms: u64::from(pid), blame: None, steered: false }
}

pub fn breach(actor: u32, pid: u32, act: Act, rule: Rule, severity: Severity) -> (Event, u64) {
    let reason = match rule {
        Rule::SecretRead => "profile `default`: secrets",
        _ => "profile `default`: connect",
    };
    let breach = Breach { rule, severity, reason: reason.into() };
    (Event { actor: ActorId(actor), pid, act, status: Status::Refused, breach: Some(breach), blame: None, at_ms: 0 }, 1)
}

pub fn did(actor: u32, act: Act, status: Status, count: u64) -> Behaviour {
    Behaviour { actor: ActorId(actor), act, status, count, first_ms: 0 }
}

pub fn read(path: &str) -> Act {
    Act::Read { path: path.into() }
}

pub fn connect(address: &str) -> Act {
    Act::Connect { to: Endpoint::Ip { protocol: "tcp".into(), address: address.parse().unwrap(), host: None } }
}

pub fn stack(names: &[(&str, Option<&str>)]) -> Option<Blame> {
    let crates = names.iter().map(|(name, object)| Candidate {
        name: (*name).into(),
        function: Some(format!("{name}::go").as_str().into()),
        object: object.map(Hostile::from),
        package: None,
    });
    Some(Blame { crates: crates.collect(), by: "stack".into(), caveat: None })
}

/// The build of BEHAVIOUR's example: a build script has `sh` read `.env`.
pub fn stolen_env() -> Material {
    let mut material = material();
    material.processes = vec![
        process(BUILD, 400, 50, "/home/u/app/target/debug/build/quickfetch-sys-1f/build-script-build", &["build-script-build"]),
        process(BUILD, 401, 400, "/usr/bin/sh", &["sh", "-c", "cat ../.env"]),
        process(BUILD, 402, 401, "/usr/bin/cat", &["cat", "../.env"]),
    ];
    material.breaches = vec![breach(BUILD, 402, read("/home/u/app/.env"), Rule::SecretRead, Severity::High)];
    material
}

/// A use of a reviewed allow, twice.
pub fn reviewed(name: &str) -> Vec<(Reviewed, u64)> {
    let by = Reviewed {
        name: name.into(),
        version: "0.9.1".into(),
        actor: ActorKind::ProcMacro,
        list: "write".into(),
        grant: "{out-of:m-compiler}/made".into(),
        versions: "=0.9.1".into(),
        reason: "a generator".into(),
        origin: "profiles/reviewed.toml:9".into(),
    };
    vec![(by, 2)]
}
