//! Who a direct child of cargo is. In: what it was exec'd with, which at that moment is still cargo's own choice. Out: [`Identity`].
//!
//! What cargo *meant* to start decides: the path it gave to execve. What that path turned out to be says nothing about who it is, for a
//! build may have put a link there. Structure first: the place of the program and of the crate's source. The environment of a compiler
//! comes second, because a build script's `rustc-env` directive can put any `CARGO_PKG_NAME` there.

use std::ffi::{OsStr, OsString};
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use super::graph::Graph;
use super::invocation::{Invocation, written_by_cargo};
use super::source::{clean, nearest_package, package_in, registry_package};
use crate::judge::Places;
use crate::model::{ActorKind, Package};

/// A process at its exec.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExecFacts {
    /// What runs, resolved, as `/proc/<pid>/exe` shows it.
    pub exe: PathBuf,
    /// What was meant to run: absolute and clean, no link followed but those that lead to a known place.
    pub called: PathBuf,
    pub argv: Vec<OsString>,
    pub env: Vec<(OsString, OsString)>,
    pub cwd: PathBuf,
    /// Cargo's own process became it, which it does for `cargo run` and never for a compiler.
    pub ends_cargo: bool,
}

/// What tracees are looked at by.
#[derive(Clone, Copy)]
pub struct Light<'a> {
    pub places: &'a Places,
    /// Once it is known.
    pub graph: Option<&'a Graph>,
    /// Words for compilers that the user typed, or has in the environment.
    pub users: &'a dyn Fn(&OsStr) -> bool,
    /// Compilers that the user named: by a path, or by a name that is looked for.
    pub compilers: &'a [(PathBuf, ActorKind)],
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
    /// What a compiler was asked to do.
    pub invocation: Option<Invocation>,
    /// Its environment claims another name than the one found, and the build graph was not there to ask.
    pub is_disputed: bool,
    /// It is not what the build had made there: a link, or another file, stood in its place.
    pub is_exchanged: bool,
}

const NOBODY: Identity = Identity {
    kind: ActorKind::Tool,
    package: None,
    crate_name: None,
    outputs: Vec::new(),
    attributed_by: "started by cargo, not built by it",
    artifact: None,
    invocation: None,
    is_disputed: false,
    is_exchanged: false,
};

/// Whose a compilation is, where nothing but its environment says so, into which a build script may write.
pub const BY_ENVIRONMENT: &str = "environment only: no manifest above the crate root";

/// Tells who was exec'd. Reads manifests and response files, changes nothing, never fails: what is unknown is a tool.
pub fn identify(facts: &ExecFacts, light: &Light) -> Identity {
    let places = light.places;
    if let Some(compiler) = compiler(facts, light) {
        return compiling(compiler, facts, light);
    }
    let is_product = |path: &&PathBuf| is_result(path, places) || below_a_target(path) || is_build_script(path, facts, places);
    let Some(product) = [&facts.called, &facts.exe].into_iter().find(is_product) else { return NOBODY };
    let mut identity =
        if is_build_script(product, facts, places) { build_script(product, facts, places) } else { program(product, facts, light) };
    identity.is_exchanged = is_exchanged(product, &facts.exe);
    identity
}

/// Whom a name stands for where cargo starts compilers.
pub fn compiler_named(path: &Path) -> Option<ActorKind> {
    match base(path) {
        b"rustc" | b"clippy-driver" => Some(ActorKind::Rustc),
        b"rustdoc" => Some(ActorKind::Rustdoc),
        _ => None,
    }
}

/// It is called as one, or it is one under a name of the user's. What was built here is a program whatever it calls itself.
fn compiler(facts: &ExecFacts, light: &Light) -> Option<ActorKind> {
    if facts.ends_cargo || is_result(&facts.called, light.places) || is_result(&facts.exe, light.places) {
        return None;
    }
    compiler_named(&facts.called).or_else(|| compiler_named(&facts.exe)).or_else(|| users_compiler(&facts.called, light.compilers))
}

/// Did the user name it as a compiler, whatever it is called?
pub fn users_compiler(called: &Path, compilers: &[(PathBuf, ActorKind)]) -> Option<ActorKind> {
    let is_it = |named: &Path| if named.is_absolute() { named == called } else { called.file_name() == Some(named.as_os_str()) };
    compilers.iter().find(|(named, _)| is_it(named)).map(|(_, kind)| *kind)
}

/// The words of a compiler behind its name. Of a script they stand behind the script's own; clippy-driver and other wrappers get the
/// compiler as their first one.
pub fn compilers_words<'a>(argv: &'a [OsString], called: &Path) -> &'a [OsString] {
    let is_it = |word: &OsString| called.ends_with(word) || Path::new(word) == called;
    let of_script = argv.iter().take(3).skip(1).position(is_it).map_or(1, |at| at + 2);
    let words = argv.get(of_script..).unwrap_or_default();
    let wrapped = words.first().is_some_and(|first| base(Path::new(first)) == b"rustc");
    &words[usize::from(wrapped)..]
}

fn compiling(kind: ActorKind, facts: &ExecFacts, light: &Light) -> Identity {
    let places = light.places;
    let words = written_by_cargo(compilers_words(&facts.argv, &facts.called), places);
    let invocation = Invocation::read(&words, &facts.cwd, kind == ActorKind::Rustdoc);
    let found = match &invocation.root {
        // Whatever it compiles, it does so by the word of a configuration in the repository.
        _ if [&facts.called, &facts.exe].iter().any(|path| places.is_of_the_build(path))
            && users_compiler(&facts.called, light.compilers).is_none() =>
        {
            (None, "a program of the repository's own in a compiler's place", false)
        }
        None => rootless(&invocation, facts, light),
        Some(root) => owner(&places.by_real_name(root), facts, light),
    };
    let (package, attributed_by, is_disputed) = found;
    Identity {
        kind,
        package,
        outputs: invocation.outputs_within(places, light.users),
        attributed_by,
        artifact: invocation.artifact(),
        crate_name: invocation.crate_name.clone(),
        invocation: Some(invocation),
        is_disputed,
        is_exchanged: false,
    }
}

/// No source file among the words: a probe. Or a crate root whose name the compiler takes for a file of arguments, which cargo knows nothing
/// of: it is whose target it is, whatever is compiled instead.
fn rootless(invocation: &Invocation, facts: &ExecFacts, light: &Light) -> (Option<Package>, &'static str, bool) {
    let root = invocation.argument_files.first().map(|word| light.places.by_real_name(&clean(&facts.cwd.join(word))));
    let owners = light.graph.zip(root).map(|(graph, root)| graph.owners_of_root(&root)).unwrap_or_default();
    match owners.into_iter().next() {
        Some(owner) => (Some(owner), "target of the build graph, in whose place the compiler reads a file of arguments", false),
        None => (None, "compiler probe, no source file", false),
    }
}

/// The package a crate root belongs to. Where the environment claims another name than its place does, that is a forged name, or a `[lib]
/// path` into another package's directory: then the targets of the build graph decide. The environment alone decides where there is neither
/// registry nor manifest.
fn owner(root: &Path, facts: &ExecFacts, light: &Light) -> (Option<Package>, &'static str, bool) {
    let claimed = from_environment(facts, light.places);
    let agrees = |found: &Package| claimed.as_ref().is_none_or(|claim| is_same(claim, found));
    let in_registry = registry_package(root, &light.places.cargo_home);
    let found = in_registry.clone().or_else(|| root.parent().and_then(nearest_package));
    if let Some(found) = found.as_ref().filter(|found| agrees(found)) {
        let by = if in_registry.is_some() { "registry path of the crate root" } else { "manifest above the crate root" };
        return (Some(found.clone()), by, false);
    }
    let targets = light.graph.map(|graph| graph.owners_of_root(root)).unwrap_or_default();
    let claimant = targets.iter().find(|target| claimed.as_ref().is_some_and(|claim| is_same(claim, target)));
    if let Some(target) = claimant.or(targets.first().filter(|_| targets.len() == 1)) {
        return (Some(target.clone()), "target of the build graph; place and environment disagree", false);
    }
    let is_open = light.graph.is_none();
    match (found, in_registry) {
        (Some(found), Some(_)) => (Some(found), "registry path of the crate root; its environment claims another name", is_open),
        (Some(found), None) => (Some(found), "manifest above the crate root; its environment claims another name", is_open),
        (None, _) if claimed.is_some() => (claimed, BY_ENVIRONMENT, is_open),
        (None, _) => (None, "no manifest above the crate root", false),
    }
}

fn is_same(one: &Package, other: &Package) -> bool {
    (&one.name, &one.version) == (&other.name, &other.version)
}

/// Variables that only build scripts get, all of them.
const SCRIPTS: [&str; 4] = ["OUT_DIR", "HOST", "TARGET", "NUM_JOBS"];

/// Has this environment what cargo gives to build scripts alone?
pub fn is_scripts(env: &[(OsString, OsString)]) -> bool {
    SCRIPTS.iter().all(|variable| env.iter().any(|(name, _)| name == variable))
}

/// `…/build/<package>-<hash>/build-script-<name>`, and the newer `…/build/<package>/<hash>/…/build-script-<name>`, with the variables only
/// build scripts get.
fn is_build_script(program: &Path, facts: &ExecFacts, places: &Places) -> bool {
    let name = base(program);
    let named = name.starts_with(b"build-script-") || name.starts_with(b"build_script_");
    // A `build` directory above the target directory says nothing.
    let inside = places.results().find_map(|tree| program.strip_prefix(tree).ok()).unwrap_or(program);
    let placed = inside.ancestors().skip(2).take(4).any(|above| above.ends_with("build"));
    named && placed && is_scripts(&facts.env)
}

/// Does something else run than the file of this name? Cargo makes files there, no links. Another file is honest where the one of this name
/// is a script. A directory on the way may be a link: the user's own, as no actor may make one there.
fn is_exchanged(product: &Path, exe: &Path) -> bool {
    let (Some(dir), Some(name)) = (product.parent(), product.file_name()) else { return true };
    let place = dir.canonicalize().unwrap_or_else(|_| dir.to_owned()).join(name);
    let deleted = [place.as_os_str().as_bytes(), b" (deleted)"].concat();
    let runs = exe == place || exe.as_os_str().as_bytes() == deleted;
    let is_link = || place.symlink_metadata().is_ok_and(|there| there.is_symlink());
    let is_script = || {
        let file = std::fs::OpenOptions::new().read(true).custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK).open(&place);
        let mut head = [0; 2];
        file.is_ok_and(|mut file| file.read_exact(&mut head).is_ok()) && &head == b"#!"
    };
    !runs && !is_script() || is_link()
}

/// Is this a place where cargo lets build scripts leave things? What lies elsewhere was not cargo's idea.
fn is_out_dir(out: &Path, exe: &Path, places: &Places) -> bool {
    let shaped = out.ends_with("out") && out.components().any(|part| part.as_os_str() == "build");
    let known = places.results().any(|tree| tree.is_absolute() && out.starts_with(tree));
    // `cargo install` builds in a directory of its own.
    shaped && (known || exe.ancestors().skip(1).take(8).any(|above| is_cargos_output(above) && out.starts_with(above)))
}

fn build_script(program: &Path, facts: &ExecFacts, places: &Places) -> Identity {
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
            .filter(|out| is_out_dir(out, program, places))
            .into_iter()
            .collect(),
        attributed_by,
        ..NOBODY
    }
}

fn program(program: &Path, facts: &ExecFacts, light: &Light) -> Identity {
    let places = light.places;
    if compiler_named(program).is_some() && !facts.ends_cargo && !is_scripts(&facts.env) {
        // Something the build made, started where a compiler was meant: whose code is to be compiled tells whose doing it is.
        let words = written_by_cargo(compilers_words(&facts.argv, &facts.called), places);
        if let Invocation { root: Some(root), crate_name: Some(crate_name), .. } = Invocation::read(&words, &facts.cwd, false) {
            let (package, attributed_by, is_disputed) = owner(&places.by_real_name(&root), facts, light);
            return Identity { kind: ActorKind::Program, package, crate_name: Some(crate_name), attributed_by, is_disputed, ..NOBODY };
        }
    }
    let stem = program.file_name().and_then(OsStr::to_str);
    let (package, attributed_by) = ran_for(facts, places);
    Identity { kind: ActorKind::Program, package, crate_name: stem.map(target_name), attributed_by, ..NOBODY }
}

/// Whose tests or programs cargo runs here: of these it sets the environment itself, whatever a directive said.
pub fn ran_for(facts: &ExecFacts, places: &Places) -> (Option<Package>, &'static str) {
    let directory = manifest_directory(facts, places);
    let found =
        directory.as_deref().and_then(|directory| registry_package(directory, &places.cargo_home).or_else(|| package_in(directory)));
    match found {
        Some(package) => (Some(package), "manifest directory in cargo's environment"),
        None => (from_environment(facts, places), "cargo's environment"),
    }
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
