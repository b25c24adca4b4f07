//! Brig's own calls of cargo and rustc: where is the workspace, what is in it, which compiler is this. They are no part of the build, but they
//! read what the repository wrote; so they change nothing, reach nobody, and the compiler among them is the toolchain's, called without a word
//! of the repository's. In: a program, an environment, the trees it may read. Out: a `Command` that enters its walls when it is spawned.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result};

use crate::judge::KernelGrants;
use crate::judge::environment::{EnvVerdict, Environment, EnvironmentLists};
use crate::model::ActorKind;
use crate::sys::{landlock, walled};
use crate::wall::{ruleset, unplugged};

/// Flags and switches of the compiler in the environment: none of them is needed to be told something, and some make it write files or load
/// libraries (`--print=…=PATH`, `-Zcodegen-backend`).
const OF_THE_COMPILER: [&str; 6] =
    ["RUSTFLAGS", "RUSTDOCFLAGS", "RUSTC_BOOTSTRAP", "CARGO_BUILD_RUSTFLAGS", "CARGO_BUILD_RUSTC", "RUSTDOC"];

/// The environment in which a repository names neither flags nor a wrapper for the compiler, which is `compiler` where it is known: the
/// environment's word counts before a file's, and an empty one is none (cargo's `rustflags_from_env`, `Rustc::new`). What the compiler says
/// is not taken from `.rustc_info.json` of the target directory either, which a repository may have committed: a platform that is not
/// what it is there would have another graph. (With an empty wrapper cargo 1.95 does not look at that file anyway, see `findings/`.)
pub fn unsteered(env: &[(OsString, OsString)], compiler: Option<PathBuf>) -> Vec<(OsString, OsString)> {
    let mut said: Vec<(OsString, OsString)> =
        ["CARGO_ENCODED_RUSTFLAGS", "CARGO_ENCODED_RUSTDOCFLAGS", "RUSTC_WRAPPER", "RUSTC_WORKSPACE_WRAPPER"]
            .map(|name| (name.into(), OsString::new()))
            .into();
    said.push(("CARGO_CACHE_RUSTC_INFO".into(), "0".into()));
    said.extend(compiler.map(|compiler| ("RUSTC".into(), compiler.into_os_string())));
    let kept = env.iter().filter(|(name, _)| !said.iter().any(|(known, _)| known == name)).cloned().collect::<Vec<_>>();
    [kept, said].concat()
}

/// `program` with `env`, which reads below `read` and writes nothing but `/dev/null`. Standard input and error are none, standard output is
/// the caller's to choose. No credential is in its environment, and it has no terminal. To be run by `sys::walled`, which ends it in time.
///
/// # Errors
/// When the walls cannot be built here: then it must not be called.
pub fn command(program: &Path, env: &[(OsString, OsString)], read: &[PathBuf]) -> Result<Command> {
    let abi = landlock::abi().context("ask for the Landlock version")?;
    let grants = KernelGrants { read: read.to_owned(), write: vec!["/dev/null".into()], exec: Vec::new() };
    let ruleset = ruleset::of_a_helper(&grants, abi).context("build the wall of a call of our own")?;
    let environment = Environment::compile(&EnvironmentLists::default());
    let kept = |name: &OsString, value: &OsString| {
        let (name, value) = (name.as_encoded_bytes(), value.as_encoded_bytes());
        environment.decide(ActorKind::Rustc, name, value) == EnvVerdict::Keep
            && !OF_THE_COMPILER.iter().any(|known| known.as_bytes() == name)
            // `CARGO_TARGET_<TRIPLE>_RUSTFLAGS`.
            && !(name.starts_with(b"CARGO_TARGET_") && name.ends_with(b"FLAGS"))
    };
    let kept: Vec<_> = env.iter().filter(|(name, value)| kept(name, value)).cloned().collect();
    let compiler = Some(program.with_file_name("rustc")).filter(|compiler| compiler.is_file());
    let mut command = Command::new(program);
    command.env_clear().envs(unsteered(&kept, compiler));
    // At each start cargo reads all certificates of the system, which takes as long as everything else it does. It is not to reach anybody;
    // only a rustup shim, which is not in a toolchain, looks at these variables for itself.
    if program.parent().and_then(Path::parent).is_some_and(|root| root.join("lib/rustlib").is_dir()) {
        command.env("SSL_CERT_FILE", "/dev/null").env("SSL_CERT_DIR", "/dev/null");
    }
    walled::behind(&mut command, ruleset, unplugged::program()?);
    command.stdin(Stdio::null()).stderr(Stdio::null());
    Ok(command)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_writes_nothing_reaches_nobody_and_knows_no_credential() {
        let dir = tempfile::tempdir().unwrap();
        let place = dir.path().join("place");
        let script = format!("echo x > {}; echo y > /dev/null || exit 3; env; exec 2>&1 3<>/dev/tcp/127.0.0.1/9", place.display());
        let env = [("PATH", "/usr/bin:/bin"), ("CARGO_REGISTRY_TOKEN", "CANARY"), ("RUSTFLAGS", "CANARY"), ("KEPT", "kept")];
        let env = env.map(|(name, value)| (name.into(), value.into()));
        let output = command(Path::new("bash"), &env, &["/".into()]).unwrap().args(["-c", &script]).output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(!place.exists() && !output.status.success() && text.contains("Permission denied"), "{output:?}");
        assert!(text.contains("KEPT=kept") && !text.contains("CANARY"), "{text}");
    }

    /// A session of its own has no terminal, and signals nobody, whoever it is. What is refused by the filter has a test beside that.
    #[test]
    fn it_has_no_terminal_and_signals_nobody() {
        let mut sleeps = Command::new("sleep").arg("60").spawn().unwrap();
        let script =
            format!("read -r a b c d e session rest < /proc/self/stat; echo $((a == session)); kill -9 {} || echo refused", sleeps.id());
        let output = walled::output(command(Path::new("bash"), &[], &["/".into()]).unwrap().args(["-c", &script])).unwrap();
        let is_alive = sleeps.try_wait().unwrap().is_none();
        sleeps.kill().and_then(|()| sleeps.wait()).unwrap();
        assert_eq!((String::from_utf8_lossy(&output.stdout).as_ref(), is_alive), ("1\nrefused\n", true));
    }

    #[test]
    fn it_reads_what_it_was_given() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().canonicalize().unwrap();
        std::fs::write(root.join("open"), "open").unwrap();
        let closed = root.join("closed");
        std::fs::write(&closed, "closed").unwrap();
        let read = ["/usr", "/bin", "/lib", "/lib64", "/etc"].map(PathBuf::from).into_iter().chain([root.join("open")]).collect::<Vec<_>>();
        let output = command(Path::new("/bin/cat"), &[], &read).unwrap().args([root.join("open"), closed]).output().unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stdout), "open");
    }
}
