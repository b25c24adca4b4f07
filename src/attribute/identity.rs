//! Who a direct child of cargo is. In: what it was exec'd with, which at that moment is still cargo's own choice. Out: [`Identity`].
//!
//! Structure first: the place of the program and of the crate's source. The environment of a compiler comes second, because a build
//! script's `rustc-env` directive can put any `CARGO_PKG_NAME` there.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use super::invocation::Invocation;
use super::source::{clean, nearest_package, package_in, registry_package};
use crate::judge::Places;
use crate::model::{ActorKind, Package};

/// A process at its exec.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExecFacts {
    /// Resolved, as `/proc/<pid>/exe` shows it.
    pub exe: PathBuf,
    pub argv: Vec<OsString>,
    pub env: Vec<(OsString, OsString)>,
    pub cwd: PathBuf,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    pub kind: ActorKind,
    pub package: Option<Package>,
    /// `--crate-name` of a compiler, the target's name of a build script or program.
    pub crate_name: Option<String>,
    /// Where it may leave results.
    pub outputs: Vec<PathBuf>,
    pub attributed_by: &'static str,
    /// Of a compiler: `<crate name><extra filename>`, the stem of the files it writes. Key for `Graph::macro_of_object`.
    pub artifact: Option<String>,
}

/// Tells who was exec'd. Reads manifests and response files, changes nothing, never fails: what is unknown is a tool.
pub fn identify(facts: &ExecFacts, places: &Places) -> Identity {
    let arguments = facts.argv.get(1..).unwrap_or_default();
    if let Some(compiler) = compiler(facts, places) {
        // clippy-driver and other wrappers get the compiler as their first argument.
        let wrapped = arguments.first().is_some_and(|first| base(Path::new(first)) == b"rustc");
        return compiling(compiler, &arguments[usize::from(wrapped)..], facts, places);
    }
    if is_build_script(facts, places) {
        return build_script(facts, places);
    }
    if is_result(&facts.exe, places) || below_a_target(&facts.exe) {
        return program(facts, places);
    }
    Identity {
        kind: ActorKind::Tool,
        package: None,
        crate_name: None,
        outputs: Vec::new(),
        attributed_by: "started by cargo, not built by it",
        artifact: None,
    }
}

fn compiler(facts: &ExecFacts, places: &Places) -> Option<ActorKind> {
    let kind = |name: &[u8]| match name {
        b"rustc" | b"clippy-driver" => Some(ActorKind::Rustc),
        b"rustdoc" => Some(ActorKind::Rustdoc),
        _ => None,
    };
    // What was built here is a program whatever it calls itself.
    if is_result(&facts.exe, places) {
        return None;
    }
    let called = facts.argv.first().map(|name| base(Path::new(name))).unwrap_or_default();
    let first = facts.argv.get(1).map(|name| base(Path::new(name))).unwrap_or_default();
    match base(&facts.exe) {
        // The proxy's links all resolve to one file.
        b"rustup" => kind(called),
        // RUSTC_WRAPPER and the like: `wrapper rustc --crate-name …`. It gets the compiler's wall, which is the tighter one.
        name => kind(name).or_else(|| kind(first)),
    }
}

fn compiling(kind: ActorKind, arguments: &[OsString], facts: &ExecFacts, places: &Places) -> Identity {
    let invocation = Invocation::read(arguments, &facts.cwd, kind == ActorKind::Rustdoc);
    let (package, attributed_by) = match &invocation.root {
        None => (None, "compiler probe, no source file"),
        Some(root) => owner(&places.by_real_name(root), facts, places),
    };
    Identity {
        kind,
        package,
        outputs: invocation.outputs_within(places),
        attributed_by,
        artifact: invocation.artifact(),
        crate_name: invocation.crate_name,
    }
}

/// The package a crate root belongs to. The environment only decides where there is neither registry nor manifest. A
/// disagreement is noted: it is a forged name, or an honest `[lib] path` into another package's directory.
fn owner(root: &Path, facts: &ExecFacts, places: &Places) -> (Option<Package>, &'static str) {
    let claimed = from_environment(facts, places);
    let agrees = |found: &Package| {
        let claim = claimed.as_ref().map(|c| (c.name.as_str(), c.version.as_str()));
        claim.is_none_or(|claim| claim == (found.name.as_str(), found.version.as_str()))
    };
    if let Some(found) = registry_package(root, &places.cargo_home) {
        let by = if agrees(&found) {
            "registry path of the crate root"
        } else {
            "registry path of the crate root; its environment claims another name"
        };
        return (Some(found), by);
    }
    let nearest = root.parent().and_then(nearest_package);
    match (nearest, &claimed) {
        (Some(found), _) if agrees(&found) => (Some(found), "manifest above the crate root"),
        (Some(found), _) => (Some(found), "manifest above the crate root; its environment claims another name"),
        (None, Some(_)) => (claimed, "environment only: no manifest above the crate root"),
        (None, None) => (None, "no manifest above the crate root"),
    }
}

/// `…/build/<package>-<hash>/build-script-<name>`, and the newer `…/build/<package>/<hash>/…/build-script-<name>`, with the variables only
/// build scripts get.
fn is_build_script(facts: &ExecFacts, places: &Places) -> bool {
    let name = base(&facts.exe);
    let named = name.starts_with(b"build-script-") || name.starts_with(b"build_script_");
    // A `build` directory above the target directory says nothing.
    let inside = places.results().find_map(|tree| facts.exe.strip_prefix(tree).ok()).unwrap_or(&facts.exe);
    let placed = inside.ancestors().skip(2).take(4).any(|above| above.ends_with("build"));
    named && placed && ["OUT_DIR", "HOST", "TARGET", "NUM_JOBS"].iter().all(|variable| get(facts, variable).is_some())
}

/// Is this a place where cargo lets build scripts leave things? What lies elsewhere was not cargo's idea.
fn is_out_dir(out: &Path, exe: &Path, places: &Places) -> bool {
    let shaped = out.ends_with("out") && out.components().any(|part| part.as_os_str() == "build");
    let known = places.results().any(|tree| tree.is_absolute() && out.starts_with(tree));
    // `cargo install` builds in a directory of its own.
    shaped && (known || exe.ancestors().skip(1).take(8).any(|above| is_cargos_output(above) && out.starts_with(above)))
}

fn build_script(facts: &ExecFacts, places: &Places) -> Identity {
    // Directives of other scripts do not reach this environment: it is cargo's.
    let stated = from_environment(facts, places);
    let directory = manifest_directory(facts, places);
    let (package, attributed_by) = match directory.as_deref().and_then(|directory| registry_package(directory, &places.cargo_home)) {
        Some(package) => (Some(package), "registry path in cargo's environment"),
        None => (stated, "cargo's environment"),
    };
    Identity {
        kind: ActorKind::BuildScript,
        package,
        crate_name: Some("build_script_build".into()),
        outputs: get(facts, "OUT_DIR")
            .map(|out| places.by_real_name(&clean(&facts.cwd.join(out))))
            .filter(|out| is_out_dir(out, &facts.exe, places))
            .into_iter()
            .collect(),
        attributed_by,
        artifact: None,
    }
}

fn program(facts: &ExecFacts, places: &Places) -> Identity {
    let stem = facts.exe.file_name().and_then(OsStr::to_str);
    let directory = manifest_directory(facts, places);
    let found =
        directory.as_deref().and_then(|directory| registry_package(directory, &places.cargo_home).or_else(|| package_in(directory)));
    let (package, attributed_by) = match found {
        Some(package) => (Some(package), "manifest directory in cargo's environment"),
        None => (from_environment(facts, places), "cargo's environment"),
    };
    Identity { kind: ActorKind::Program, package, crate_name: stem.map(target_name), outputs: Vec::new(), attributed_by, artifact: None }
}

/// `my_app` of `my_app-bd09bb0749279718`.
fn target_name(stem: &str) -> String {
    let hashed = stem.rsplit_once('-').filter(|(_, hash)| hash.len() == 16 && hash.bytes().all(|b| b.is_ascii_hexdigit()));
    hashed.map_or(stem, |(name, _)| name).to_owned()
}

fn is_result(exe: &Path, places: &Places) -> bool {
    places.result(exe.as_os_str().as_bytes()).is_some()
}

/// A directory above that cargo made for results: `cargo install` puts them outside the known directories.
fn below_a_target(exe: &Path) -> bool {
    exe.ancestors().skip(1).take(8).any(is_cargos_output)
}

fn is_cargos_output(dir: &Path) -> bool {
    dir.join(".rustc_info.json").is_file() || dir.join("CACHEDIR.TAG").is_file()
}

fn from_environment(facts: &ExecFacts, places: &Places) -> Option<Package> {
    let text = |name| get(facts, name)?.to_str().map(str::to_owned);
    Some(Package {
        name: text("CARGO_PKG_NAME")?,
        version: text("CARGO_PKG_VERSION")?,
        source: None,
        checksum: None,
        manifest_dir: manifest_directory(facts, places),
    })
}

fn manifest_directory(facts: &ExecFacts, places: &Places) -> Option<PathBuf> {
    get(facts, "CARGO_MANIFEST_DIR").map(|directory| places.by_real_name(Path::new(directory)))
}

fn get<'a>(facts: &'a ExecFacts, name: &str) -> Option<&'a OsStr> {
    facts.env.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_os_str())
}

fn base(path: &Path) -> &[u8] {
    path.file_name().map(OsStr::as_bytes).unwrap_or_default()
}

#[cfg(test)]
#[path = "identity_tests.rs"]
mod tests;
