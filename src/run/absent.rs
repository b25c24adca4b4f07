//! Build scripts that did not run in this build, of which cargo repeats what they said before. In: the name of a package, an `OUT_DIR`. Out: the
//! package as the lock file has it; an actor without a process.

use std::path::Path;

use crate::attribute::{directives, source};
use crate::judge::Places;
use crate::model::{Actor, ActorId, ActorKind, Package};

const MAX_LOCK: u64 = 64 << 20;

/// The package of this name in the lock file; where there are several, nobody knows which.
pub fn locked(name: &str, places: &Places) -> Package {
    let text = places.workspace.as_ref().and_then(|root| source::read_text(&root.join("Cargo.lock"), MAX_LOCK));
    let lock = text.and_then(|text| text.parse::<toml::Table>().ok()).unwrap_or_default();
    let packages = lock.get("package").and_then(toml::Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let of_that_name = packages.iter().filter(|package| package.get("name").and_then(toml::Value::as_str) == Some(name));
    let versions: Vec<&str> = of_that_name.filter_map(|package| package.get("version")?.as_str()).collect();
    let version = if let [version] = versions[..] { version } else { "unknown" };
    Package { name: name.to_owned(), version: version.to_owned(), source: None, checksum: None, manifest_dir: None }
}

/// A script that did not run in this build.
pub fn absent(id: ActorId, package: Package, out: &Path) -> Actor {
    Actor {
        id,
        kind: ActorKind::BuildScript,
        package: Some(package),
        host: None,
        pid: 0,
        exe: directives::kept(out).into_iter().find(|path| path.exists()).unwrap_or_else(|| out.to_owned()),
        argv: Vec::new(),
        cwd: out.to_owned(),
        crate_name: Some("build_script_build".into()),
        attributed_by: Actor::ABSENT,
        outputs: vec![out.to_owned()],
        tmp: "/".into(),
        withheld: Vec::new(),
    }
}
