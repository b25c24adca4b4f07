//! Where in the sources of the repository something is written: of a package that has no line of its own there, but files. In: a package of the graph,
//! what of it ran, the functions on the stack. Out: a file below the workspace, and a line in it.

use std::path::{Component, Path, PathBuf};

use super::graph::{Graph, Node};
use super::source::read_text;
use crate::model::{ActorKind, Hostile, Package};

/// Longer files are written by programs.
const MAX_SOURCE: u64 = 1 << 20;

/// What of a package is asked for.
#[derive(Clone, Copy, Debug)]
pub struct Part<'a> {
    pub kind: ActorKind,
    /// The target, as compilers spell it.
    pub crate_name: Option<&'a str>,
    /// Of that package, innermost first.
    pub functions: &'a [&'a Hostile],
}

impl Graph {
    /// `dep/build.rs:7`: where the function begins that did it, or the file it started from. Only for what lies in the repository: the sources of
    /// fetched packages are not there.
    pub fn written(&self, package: &Package, part: Part) -> Option<String> {
        let is_it = |node: &&Node| node.package.name == package.name && node.package.version == package.version;
        let node = self.nodes.iter().find(is_it).filter(|node| node.package.source.is_none())?;
        let roots = roots(node, part);
        let found = roots.iter().find_map(|root| part.functions.iter().find_map(|function| line_of(root, function)));
        let (file, line) = found.or_else(|| Some((roots.first()?.to_path_buf(), 1)))?;
        Some(format!("{}:{line}", relative(&self.workspace, &file)?))
    }
}

/// The same of a package whose sources lie there, of whatever workspace it is. `roots`: files that a compilation of this starts from, likely ones first. The
/// path counts from the directory.
pub fn in_package(dir: &Path, roots: &[PathBuf], functions: &[&Hostile]) -> Option<String> {
    let there: Vec<&PathBuf> = roots.iter().filter(|root| root.is_file()).collect();
    let found = there.iter().find_map(|root| functions.iter().find_map(|function| line_of(root, function)));
    let (file, line) = found.or_else(|| Some(((*there.first()?).clone(), 1)))?;
    Some(format!("{}:{line}", file.strip_prefix(dir).ok()?.to_str()?))
}

/// Files that a compilation of this starts from, likely ones first.
fn roots<'n>(node: &'n Node, part: Part) -> Vec<&'n Path> {
    if part.kind == ActorKind::BuildScript {
        return node.script_root.iter().map(PathBuf::as_path).collect();
    }
    let named = |root: &&(String, PathBuf)| part.crate_name == Some(root.0.as_str());
    let (first, rest): (Vec<_>, Vec<_>) = node.roots.iter().partition(|root| named(root));
    let rest = rest.into_iter().filter(|root| Some(&root.1) != node.script_root.as_ref());
    first.into_iter().chain(rest).map(|root| root.1.as_path()).collect()
}

/// `app::net::fetch::{{closure}}` is written in the file of the root, of `net`, or wherever a module of a module may be.
fn line_of(root: &Path, function: &Hostile) -> Option<(PathBuf, usize)> {
    let text = std::str::from_utf8(function.as_bytes()).ok()?;
    let is_name = |part: &&str| !part.is_empty() && part.chars().all(|c| c.is_alphanumeric() || c == '_');
    let parts: Vec<&str> = text.split("::").take_while(is_name).collect();
    let [_, modules @ .., name] = &parts[..] else { return None };
    let directory = root.parent()?;
    let module = |depth: usize| {
        let path = modules[..depth].iter().fold(directory.to_owned(), |path, module| path.join(module));
        [path.with_extension("rs"), path.join("mod.rs")]
    };
    let files = (1..=modules.len()).rev().flat_map(module).chain([root.to_owned()]);
    files.into_iter().find_map(|file| {
        let text = read_text(&file, MAX_SOURCE)?;
        let line = text.lines().position(|line| defines(line, name))?;
        Some((file, line + 1))
    })
}

/// `pub fn fetch<T>(`
fn defines(line: &str, name: &str) -> bool {
    let ends = |rest: &str| !rest.starts_with(|c: char| c.is_alphanumeric() || c == '_');
    let begins = |before: &str| before.is_empty() || before.ends_with(|c: char| c.is_whitespace());
    !line.trim_start().starts_with("//")
        && line.match_indices("fn ").any(|(at, _)| begins(&line[..at]) && line[at + 3..].trim_start().strip_prefix(name).is_some_and(ends))
}

/// Also of a package beside the workspace: the repository may begin further up.
fn relative(workspace: &Path, file: &Path) -> Option<String> {
    let common = workspace.components().zip(file.components()).take_while(|(a, b)| a == b).count();
    let up = workspace.components().skip(common).map(|_| Component::ParentDir);
    let path: PathBuf = up.chain(file.components().skip(common)).collect();
    path.to_str().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_are_found_where_modules_lie() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        for (name, text) in [
            (
                "lib.rs",
                "//! fn go() is not here\nmod net;\npub fn go_on() {}\n  pub(crate) async fn go<T>() {}\nmod tests { fn it() {} }\n",
            ),
            ("net.rs", "\nfn fetch () {}\n"),
            ("net/deep.rs", "fn fetch() {}\n"),
            ("other/mod.rs", "\n\nfn far() {}\n"),
        ] {
            std::fs::create_dir_all(at(name).parent().unwrap()).unwrap();
            std::fs::write(at(name), text).unwrap();
        }
        for (function, found) in [
            ("app::go", Some(("lib.rs", 4))),
            ("app::go::{{closure}}::x", Some(("lib.rs", 4))),
            ("app::net::fetch", Some(("net.rs", 2))),
            ("app::net::deep::fetch", Some(("net/deep.rs", 1))),
            ("app::other::far", Some(("other/mod.rs", 3))),
            ("app::tests::it", Some(("lib.rs", 5))),
            ("app::nowhere", None),
            ("<app::T as core::fmt::Debug>::fmt", None),
            ("app", None),
            ("app::../../x::y", None),
        ] {
            let expected = found.map(|(file, line)| (at(file), line));
            assert_eq!(line_of(&at("lib.rs"), &function.into()), expected, "{function}");
        }
    }

    #[test]
    fn paths_are_told_from_the_workspace() {
        for (workspace, file, expected) in [
            ("/w", "/w/dep/build.rs", "dep/build.rs"),
            ("/w/rust", "/w/shared/src/lib.rs", "../shared/src/lib.rs"),
            ("/w", "/w/a b/ü.rs", "a b/ü.rs"),
        ] {
            assert_eq!(relative(Path::new(workspace), Path::new(file)).as_deref(), Some(expected));
        }
    }
}
