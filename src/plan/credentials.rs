//! Credential providers the user chose: cargo asks them for tokens, so they keep cargo's trust. In: the configuration in cargo's home and the
//! environment. Out: [`Providers`], who know one of theirs by its whole command line.
//!
//! A repository's configuration may name any program as well, and those are confined. It may also name the user's own, but only to be called as the
//! user would have it called.

use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use toml::{Table, Value};

use super::cargo_files;
use super::places::real;
use super::scripts::interpreter;

/// Commands as cargo starts them: program (a path, or a name to be found on the path) and arguments.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Providers {
    commands: Vec<Vec<OsString>>,
    path: OsString,
}

/// What cargo tells a provider that speaks its protocol; everything else it says on the provider's standard input.
const PLUGIN: &str = "--cargo-plugin";

impl Providers {
    /// What cannot be read or understood names nobody: then whoever is started is confined like a program.
    pub fn find(cargo_home: &Path, workspace: Option<&Path>, env: &[(OsString, OsString)]) -> Providers {
        let mut specs = Vec::new();
        // A home of cargo's that lies in the repository is no word of the user's.
        if cargo_home.is_absolute() && !workspace.is_some_and(|workspace| cargo_home.starts_with(workspace)) {
            let table = cargo_files::of(cargo_home).and_then(|file| cargo_files::read(&file));
            specs.extend(written(&table.unwrap_or_default()));
        }
        specs.extend(
            env.iter().filter_map(|(name, value)| Some((name.to_str()?, value.to_str()?))).flat_map(|(name, value)| spoken(name, value)),
        );
        let path = env.iter().find(|(name, _)| name == "PATH").map(|(_, path)| path.clone()).unwrap_or_default();
        Providers { commands: specs.iter().filter_map(command).collect(), path }
    }

    /// The files that are started.
    pub fn programs(&self) -> impl Iterator<Item = PathBuf> {
        self.commands.iter().filter_map(|command| self.file(command.first()?))
    }

    fn file(&self, name: &OsString) -> Option<PathBuf> {
        if name.as_bytes().contains(&b'/') { Some(name.into()) } else { crate::launch::search(name, &self.path) }
    }

    /// Is this one of them, called as cargo calls it? `exe` is what runs, of a script its interpreter. The answer is the program's own file.
    pub fn started(&self, exe: &Path, argv: &[OsString]) -> Option<PathBuf> {
        self.commands.iter().find_map(|command| {
            let (name, arguments) = command.split_first()?;
            let file = self.file(name)?;
            let interpreter = interpreter(&file);
            let called = match &interpreter {
                // Of a script the kernel says: the interpreter, its one argument, the script by the path it was started by (execve(2)).
                Some(words) => [&words[..], &[file.clone().into()], arguments].concat(),
                None => command.clone(),
            };
            let runs = interpreter.as_ref().map_or(file.as_path(), |words| Path::new(&words[0]));
            (argv == called && real(runs.to_owned()) == exe).then(|| real(file))
        })
    }
}

/// A provider and its arguments, as configured.
type Spec = Vec<String>;

fn written(table: &Table) -> Vec<Spec> {
    let section = |name: &str| table.get(name).and_then(Value::as_table);
    let registries = section("registries").into_iter().flat_map(Table::values).filter_map(Value::as_table);
    let named = registries.chain(section("registry")).filter_map(|table| table.get("credential-provider"));
    let global = section("registry").and_then(|table| table.get("global-credential-providers"));
    let global: Vec<Spec> = match global {
        // Every element is a provider with its arguments.
        Some(Value::Array(all)) => all.iter().filter_map(spec).collect(),
        other => other.and_then(spec).into_iter().collect(),
    };
    named.chain(section("credential-alias").into_iter().flat_map(Table::values)).filter_map(spec).chain(global).collect()
}

/// One text with blanks, or a list of words.
fn spec(value: &Value) -> Option<Spec> {
    match value {
        Value::String(text) => Some(words(text)),
        Value::Array(words) => words.iter().map(|word| word.as_str().map(str::to_owned)).collect(),
        _ => None,
    }
}

fn words(text: &str) -> Spec {
    text.split_whitespace().map(str::to_owned).collect()
}

/// The same from a variable.
fn spoken(name: &str, value: &str) -> Vec<Spec> {
    if name == "CARGO_REGISTRY_GLOBAL_CREDENTIAL_PROVIDERS" {
        return words(value).into_iter().map(|word| vec![word]).collect();
    }
    let registry =
        name == "CARGO_REGISTRY_CREDENTIAL_PROVIDER" || name.starts_with("CARGO_REGISTRIES_") && name.ends_with("_CREDENTIAL_PROVIDER");
    if registry || name.starts_with("CARGO_CREDENTIAL_ALIAS_") { vec![words(value)] } else { Vec::new() }
}

/// How cargo starts it; nothing for those it has built in, and for a path that is relative to who knows what.
fn command(spec: &Spec) -> Option<Vec<OsString>> {
    let (provider, arguments) = spec.split_first()?;
    let command: Vec<OsString> = match provider.strip_prefix("cargo:") {
        Some("token-from-stdout") => arguments.iter().map(OsString::from).collect(),
        Some(_) => return None,
        None => vec![provider.into(), PLUGIN.into()],
    };
    command.first().is_some_and(|name| name.as_bytes().starts_with(b"/") || !name.as_bytes().contains(&b'/')).then_some(command)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn argv(text: &str) -> Vec<OsString> {
        text.split(' ').map(OsString::from).collect()
    }

    #[test]
    fn only_the_users_own_and_only_as_the_user_has_them_called() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().canonicalize().unwrap();
        let file = |name: &str, text: &str| {
            let path = root.join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, text).unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
            path.display().to_string()
        };
        let (script, program) = (file("bin/token", "#!/bin/sh -e\necho x\n"), file("bin/keeper", "\x7fELF"));
        file(
            "cargo/config.toml",
            &format!(
                "[registry]\nglobal-credential-providers = [\"cargo:token\", \"cargo:token-from-stdout {script} get\", \"short\"]\n\
                 [registries.zoo]\ncredential-provider = [\"keeper\", \"--vault\", \"x\"]\n\
                 [credential-alias]\nshort = \"cargo:token-from-stdout keeper print\"\n"
            ),
        );
        let env = [(OsString::from("PATH"), root.join("bin").into_os_string())];
        let found = Providers::find(&root.join("cargo"), Some(&root.join("app")), &env);
        let shell = Path::new("/bin/sh").canonicalize().unwrap();
        let exe = Path::new(&program);
        for (exe, called, file) in [
            (shell.as_path(), format!("/bin/sh -e {script} get"), &script),
            (exe, "keeper print".into(), &program),
            (exe, "keeper --cargo-plugin".into(), &program),
        ] {
            assert_eq!(found.started(exe, &argv(&called)), Some(file.into()), "{called}");
        }
        for (exe, called) in [
            (shell.as_path(), format!("/bin/sh -c evil {script} get")),
            (&shell, format!("/bin/sh {script} get")),
            (&shell, format!("/bin/sh -e {script} get more")),
            (&shell, format!("/bin/sh -e {script}")),
            (&shell, "keeper print".into()),
            (exe, "keeper print more".into()),
            (exe, "keeper --vault y".into()),
            (Path::new("/usr/bin/env"), "keeper print".into()),
        ] {
            assert_eq!(found.started(exe, &argv(&called)), None, "{called}");
        }
        // A home that the repository brought along names nobody.
        let inside = Providers::find(&root.join("cargo"), Some(&root), &env);
        assert_eq!(inside.commands, Vec::<Vec<OsString>>::new());
    }

    #[test]
    fn variables_name_providers_too() {
        let env = [
            ("CARGO_REGISTRY_GLOBAL_CREDENTIAL_PROVIDERS", "cargo:libsecret keeper"),
            ("CARGO_REGISTRIES_ZOO_CREDENTIAL_PROVIDER", "cargo:token-from-stdout /opt/token get"),
            ("CARGO_REGISTRIES_ZOO_TOKEN", "x"),
            ("CARGO_CREDENTIAL_ALIAS_K", "./keeper"),
        ];
        let found = Providers::find(Path::new(""), None, &env.map(|(name, value)| (name.into(), value.into())));
        assert_eq!(found.commands, [argv("keeper --cargo-plugin"), argv("/opt/token get")]);
    }
}
