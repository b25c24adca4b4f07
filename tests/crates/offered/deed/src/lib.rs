//! What `ZOO_CASE` says, if `ZOO_WHO` says that it is for this one.

use std::path::{Path, PathBuf};

pub fn deed(who: &str, package: &Path) {
    let is = |name: &str, value: &str| std::env::var(name).as_deref() == Ok(value);
    if !is("ZOO_WHO", who) {
        return;
    }
    let target = package.join("target");
    let made = match std::env::var("ZOO_CASE").as_deref() {
        Ok("file") => std::fs::write(package.join("made.txt"), "made"),
        Ok("link") => std::os::unix::fs::symlink("data", package.join("links/one")),
        Ok("root") => std::os::unix::fs::symlink("/nowhere", target.join("cxxbridge")),
        Ok("results") => std::fs::write(results(&target).join("made.txt"), "made"),
        Ok("listing") => std::fs::read_dir(Path::new(&std::env::var_os("HOME").unwrap()).join(".ssh")).map(drop),
        _ => return,
    };
    let said = format!("zoo: {who} {}", if made.is_ok() { "did it" } else { "could not" });
    // Of a build script that goes on cargo shows nothing else.
    if who == "build-script" { println!("cargo::warning={said}") } else { eprintln!("{said}") }
}

/// Where another package's build script leaves things.
fn results(target: &Path) -> PathBuf {
    let all = std::fs::read_dir(target.join("debug/build")).unwrap().flatten();
    all.map(|one| one.path().join("out")).find(|out| out.is_dir() && out.to_str().unwrap().contains("/victim-")).unwrap()
}
