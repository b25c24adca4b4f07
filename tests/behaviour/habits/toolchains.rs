//! Which toolchain builds: rustup's shims with all their ways to choose, and a toolchain without rustup.

use std::ffi::OsStr;
use std::fs;
use std::io::Write;
use std::os::unix::fs::symlink;
use std::path::Path;

use super::nested::on_path;
use super::{executable, habit, triple};
use crate::honest::calm;
use crate::place::{Place, brig, copy_program, toolchain};
use crate::run::{Run, bare, program};
use crate::who::Who;

/// As rustup installs itself: its program under the names of all it stands for, and the toolchain of this machine. Without a default, so that
/// nothing builds unless it is chosen. The channel's name, or `None` where there is no rustup.
fn install_rustup(place: &Place) -> Option<String> {
    let Some(rustup) = on_path("rustup") else {
        writeln!(std::io::stderr(), "note: no rustup is installed here, so its ways to choose a toolchain were not tried").ok();
        return None;
    };
    let bin = place.path("home/.cargo/bin");
    fs::create_dir_all(&bin).unwrap();
    copy_program(&rustup, &bin.join("rustup"));
    lay_proxies(&bin, |proxy| symlink("rustup", proxy).unwrap());
    let named = toolchain().file_name().unwrap().to_str().unwrap();
    let installed = place.path("home/.rustup/toolchains");
    fs::create_dir_all(&installed).unwrap();
    symlink(toolchain(), installed.join(named)).unwrap();
    settle(place, "");
    Some(named.strip_suffix(&format!("-{}", triple())).unwrap_or(named).to_owned())
}

/// The names rustup stands for, made as `lay` says: with a proxy's path.
fn lay_proxies(bin: &Path, lay: impl Fn(&Path)) {
    for name in ["cargo", "rustc", "rustdoc", "rustfmt", "cargo-fmt", "cargo-clippy", "clippy-driver"] {
        fs::remove_file(bin.join(name)).ok();
        lay(&bin.join(name));
    }
}

fn settle(place: &Place, more: &str) {
    place.write(&place.path("home/.rustup/settings.toml"), &format!("version = \"12\"\nprofile = \"default\"\n{more}\n"));
}

/// Like a login shell of a user of rustup's.
fn at_home<'a>(place: &'a Place, run: Run<'a>) -> Run<'a> {
    let dirs = [place.path("home/.cargo/bin"), brig().parent().unwrap().into(), "/usr/local/bin".into(), "/usr/bin".into(), "/bin".into()];
    run.without("CARGO").env("PATH", std::env::join_paths(dirs).unwrap()).env("RUSTUP_AUTO_INSTALL", "0")
}

/// `cargo [+x] build` and `cargo [+x] brig build`, or (`direct`) `cargo-brig [+x] build`.
fn start<'a>(place: &'a Place, args: &[&str], guarded: bool, direct: bool) -> Run<'a> {
    let report = place.path("report");
    let ours = ["--report-dir", report.to_str().unwrap()];
    let chosen = args.iter().take_while(|word| word.starts_with('+')).count();
    let (chosen, rest) = args.split_at(chosen);
    match (guarded, direct) {
        (false, _) => program(place, place.path("home/.cargo/bin/cargo").as_os_str(), args),
        (true, false) => {
            let args = [chosen, &["brig"], &ours, rest].concat();
            program(place, place.path("home/.cargo/bin/cargo").as_os_str(), &args)
        }
        (true, true) => bare(place, &[&ours[..], args].concat()),
    }
}

#[test]
fn rustup_chooses() {
    for who in Who::all() {
        let place = calm("honest-asks", OsStr::new("code"), who);
        let Some(channel) = install_rustup(&place) else { return };
        let plus = format!("+{channel}");
        let without = at_home(&place, start(&place, &["build"], false, false)).go();
        assert!(without.code != 0 && without.stderr_text().contains("no default"), "the control\n{without}");
        let tried = |direct: bool, what: &str, args: &[&str], dress: &dyn for<'r> Fn(Run<'r>) -> Run<'r>| {
            habit(&place, &format!("{what}, direct: {direct}"), args)
                .by(move |place, args, guarded| start(place, args, guarded, direct))
                .with(|run| dress(at_home(&place, run)))
                .says("helped");
        };
        let run = ["run", "--offline"];
        for direct in [false, true] {
            tried(direct, "cargo +toolchain", &[&plus, "run", "--offline"], &|run| run);
        }
        tried(true, "RUSTUP_TOOLCHAIN", &run, &|run| run.env("RUSTUP_TOOLCHAIN", &channel));
        let file = place.workspace().join("rust-toolchain.toml");
        place.write(&file, &format!("[toolchain]\nchannel = {channel:?}\nprofile = \"minimal\"\n"));
        tried(false, "rust-toolchain.toml", &run, &|run| run);
        fs::remove_file(file).unwrap();
        let full = toolchain().file_name().unwrap().to_str().unwrap();
        settle(&place, &format!("[overrides]\n{:?} = {full:?}", place.workspace()));
        let bin = place.path("home/.cargo/bin");
        lay_proxies(&bin, |proxy| copy_program(&bin.join("rustup"), proxy));
        tried(true, "rustup override, its proxies copies", &run, &|run| run);
        settle(&place, &format!("default_toolchain = {full:?}"));
        lay_proxies(&bin, |proxy| fs::hard_link(bin.join("rustup"), proxy).unwrap());
        tried(true, "the default, its proxies hard links", &run, &|run| run);
        // An editor starts a toolchain's own cargo, which then finds rustup's shim for the compiler.
        let cargo = toolchain().join("bin/cargo");
        habit(&place, "a toolchain's own cargo", &run)
            .by(|place, args, guarded| if guarded { start(place, args, true, true) } else { program(place, cargo.as_os_str(), args) })
            .with(|run| at_home(&place, run).env("CARGO", &cargo))
            .says("helped");
    }
}

/// As a CI image has it: rustup's shims where the image keeps them, as links or hard links beside it or as links to where it lies off the path; and cargo's
/// home in the project.
#[test]
fn shims_outside_of_cargos_home() {
    for who in Who::all() {
        let place = calm("honest-asks", OsStr::new("code"), who);
        if install_rustup(&place).is_none() {
            return;
        }
        settle(&place, &format!("default_toolchain = {:?}", toolchain().file_name().unwrap().to_str().unwrap()));
        // What is made beside the package is no member of it: the second run finds the manifest of the first.
        let manifest = place.workspace().join("Cargo.toml");
        let text = fs::read_to_string(&manifest).unwrap();
        place.write(&manifest, &text.replace("[\"helper\"]", "[\"helper\", \"made\"]"));
        let (made, ours, report) = (place.workspace().join("made"), place.workspace().join(".cargo"), place.path("report"));
        for kept in ["beside", "hard", "apart"] {
            // Neither where everybody leaves files nor in the home; the same for both users.
            let image = Path::new(env!("CARGO_TARGET_TMPDIR")).join("image").join(kept);
            let (bin, rustup) = (image.join("bin"), image.join(if kept == "apart" { "lib/rustup" } else { "bin/rustup" }));
            [&bin, rustup.parent().unwrap()].into_iter().for_each(|dir| fs::create_dir_all(dir).unwrap());
            if !rustup.exists() {
                copy_program(&place.path("home/.cargo/bin/rustup"), &rustup);
            }
            lay_proxies(&bin, |proxy| if kept == "hard" { fs::hard_link(&rustup, proxy) } else { symlink(&rustup, proxy) }.unwrap());
            // A compiler of the user's that is a script and leads to the shim.
            let script = bin.join("my-rustc");
            executable(&place, &script, "#!/bin/sh\nexec rustc \"$@\"\n");
            let path = std::env::join_paths([&bin, brig().parent().unwrap(), Path::new("/usr/bin"), Path::new("/bin")]).unwrap();
            let cargo = bin.join("cargo");
            for (args, results, compiler) in [
                (&["clippy", "--offline"][..], place.target(), None),
                (&["new", "made", "--vcs", "none"], made.clone(), None),
                (&["check", "--offline"], place.target(), Some(&script)),
            ] {
                habit(&place, &format!("shims of an image, {kept}: {args:?}"), args)
                    .results(&[&results])
                    .by(|place, args, guarded| {
                        let brig = ["brig", "--report-dir", report.to_str().unwrap()];
                        program(place, cargo.as_os_str(), &[if guarded { &brig[..] } else { &[] }, args].concat())
                    })
                    .with(|run| {
                        let run = run.without("CARGO").env("PATH", &path).env("CARGO_HOME", &ours).env("RUSTUP_AUTO_INSTALL", "0");
                        compiler.into_iter().fold(run, |run, compiler| run.env("RUSTC", compiler))
                    })
                    .same();
                fs::remove_dir_all(&made).ok();
            }
        }
    }
}

/// As a distribution installs it: no rustup, no home of it, the programs on the path.
#[test]
fn a_toolchain_without_rustup() {
    for who in Who::all() {
        let place = calm("honest-nested", OsStr::new("code"), who);
        fs::remove_dir_all(place.path("home/.rustup")).unwrap();
        habit(&place, "on the path", &["run", "--offline"]).with(|run| run.without("CARGO").without("RUSTUP_HOME")).says("helped");
        let rustc = toolchain().join("bin/rustc");
        habit(&place, "RUSTC", &["run", "--offline"]).with(|run| run.without("RUSTUP_HOME").env("RUSTC", &rustc)).says("helped");
        // Behind links, as some distributions have several versions.
        let bin = place.path("home/bin");
        fs::create_dir_all(&bin).unwrap();
        for name in ["cargo", "rustc", "rustdoc"] {
            symlink(toolchain().join("bin").join(name), bin.join(name)).unwrap();
        }
        let path = std::env::join_paths([bin.as_path(), Path::new("/usr/bin"), Path::new("/bin")]).unwrap();
        habit(&place, "links on the path", &["run", "--offline"])
            .with(|run| run.without("CARGO").without("RUSTUP_HOME").env("PATH", &path))
            .says("helped");
    }
}
