//! What actors may see of cargo's environment. Reading it is no system call, so what must not be known is taken out before an actor's
//! first instruction. In: a name and its value. Out: keep or withhold.

use crate::judge::paths::glob;
use crate::judge::secrets::catalogue;
use crate::model::ActorKind;

/// What a profile says in its `[environment]` table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnvironmentLists {
    /// Use the catalogue's patterns (`withhold = […]` replaces them).
    pub catalogue: bool,
    pub withhold: Vec<String>,
    /// Names (or patterns) that are kept whatever a pattern says.
    pub pass: Vec<String>,
}

impl Default for EnvironmentLists {
    fn default() -> Self {
        EnvironmentLists { catalogue: true, withhold: Vec::new(), pass: Vec::new() }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EnvVerdict {
    Keep,
    Withhold,
}

/// Compiled from a profile, shared by all actors. Patterns are upper case.
#[derive(Clone, Debug)]
pub struct Environment {
    withhold: Vec<Vec<u8>>,
    keep: Vec<Vec<u8>>,
    pass: Vec<Vec<u8>>,
}

/// Set by cargo for the code it runs. `CARGO_REGISTR…` and `CARGO_HTTP_…` are the user's and stay subject to the patterns.
const FROM_CARGO: [&[u8]; 8] =
    [b"CARGO_PKG_", b"CARGO_FEATURE_", b"CARGO_CFG_", b"CARGO_MANIFEST_", b"CARGO_BIN_", b"CARGO_CRATE_", b"CARGO_PRIMARY_", b"DEP_"];

impl Environment {
    pub fn compile(lists: &EnvironmentLists) -> Self {
        let upper = |texts: &[String]| texts.iter().map(|text| text.to_ascii_uppercase().into_bytes()).collect::<Vec<_>>();
        let names = &catalogue().environment;
        let mut withhold = if lists.catalogue { upper(&names.withhold) } else { Vec::new() };
        withhold.extend(upper(&lists.withhold));
        Environment { withhold, keep: upper(&names.keep), pass: upper(&lists.pass) }
    }

    /// Tools are as trusted as cargo and keep everything.
    pub fn decide(&self, kind: ActorKind, name: &[u8], value: &[u8]) -> EnvVerdict {
        let upper = name.to_ascii_uppercase();
        let any = |patterns: &[Vec<u8>]| patterns.iter().any(|pattern| glob(pattern, &upper));
        if kind == ActorKind::Tool || is_cargos(name) || any(&self.pass) {
            return EnvVerdict::Keep;
        }
        let named = any(&self.withhold) && !any(&self.keep);
        if named || has_password(value) { EnvVerdict::Withhold } else { EnvVerdict::Keep }
    }
}

/// Names cargo sets itself are never withheld by pattern: a crate named `tokenizers` makes `CARGO_FEATURE_TOKEN`.
fn is_cargos(name: &[u8]) -> bool {
    if name.starts_with(b"CARGO_REGISTR") || name.starts_with(b"CARGO_HTTP") || name.starts_with(b"CARGO_NET") {
        return false;
    }
    FROM_CARGO.iter().any(|prefix| name.starts_with(prefix))
        || matches!(name, b"CARGO_MAKEFLAGS" | b"CARGO_ENCODED_RUSTFLAGS" | b"CARGO_TARGET_TMPDIR" | b"CARGO_TARGET_DIR")
        || matches!(
            name,
            b"OUT_DIR" | b"HOME" | b"PATH" | b"TMPDIR" | b"USER" | b"LANG" | b"CARGO" | b"RUSTC" | b"CARGO_HOME" | b"RUSTUP_HOME"
        )
}

/// `scheme://user:password@host`, whatever the variable is called.
fn has_password(value: &[u8]) -> bool {
    let Some(at) = value.windows(3).position(|part| part == b"://") else { return false };
    let authority = value[at + 3..].split(|b| matches!(b, b'/' | b'?' | b'#' | b' ')).next().unwrap_or_default();
    let Some(sign) = authority.iter().rposition(|b| *b == b'@') else { return false };
    authority[..sign].iter().position(|b| *b == b':').is_some_and(|colon| colon + 1 < sign)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_values() {
        let lists = EnvironmentLists { pass: vec!["MY_BUILD_TOKEN".into()], ..EnvironmentLists::default() };
        let environment = Environment::compile(&lists);
        let withheld = [
            ("CARGO_REGISTRY_TOKEN", "x"),
            ("CARGO_REGISTRIES_CORP_TOKEN", "x"),
            ("CARGO_REGISTRIES_CORP_CREDENTIAL_PROVIDER", "x"),
            ("GITHUB_TOKEN", "x"),
            ("gh_token", "x"),
            ("ACTIONS_RUNTIME_TOKEN", "x"),
            ("ACTIONS_CACHE_URL", "x"),
            ("GITHUB_ENV", "/x"),
            ("CI_JOB_TOKEN", "x"),
            ("AWS_ACCESS_KEY_ID", "x"),
            ("AWS_SECRET_ACCESS_KEY", "x"),
            ("AWS_SESSION_TOKEN", "x"),
            ("GOOGLE_APPLICATION_CREDENTIALS", "/x"),
            ("AZURE_CLIENT_SECRET", "x"),
            ("NPM_TOKEN", "x"),
            ("VAULT_TOKEN", "x"),
            ("PGPASSWORD", "x"),
            ("MYSQL_PWD", "x"),
            ("ANTHROPIC_API_KEY", "x"),
            ("OPENAI_API_KEY", "x"),
            ("POLYMARKET_PRIVATE_KEY", "x"),
            ("MNEMONIC", "x"),
            ("SSH_AUTH_SOCK", "/x"),
            ("DBUS_SESSION_BUS_ADDRESS", "x"),
            ("GNUPGHOME", "x"),
            ("DOCKER_HOST", "x"),
            ("XDG_RUNTIME_DIR", "/x"),
            ("TMUX", "x"),
            ("VSCODE_IPC_HOOK_CLI", "x"),
            ("SLACK_WEBHOOK", "x"),
            ("BW_SESSION", "x"),
            ("DATABASE_URL", "postgres://u:p@localhost/db"),
            ("HTTPS_PROXY", "http://u:p@proxy:8080"),
            ("SENTRY_DSN", "x"),
        ];
        for (name, value) in withheld {
            let verdict = environment.decide(ActorKind::BuildScript, name.as_bytes(), value.as_bytes());
            assert_eq!(verdict, EnvVerdict::Withhold, "{name}");
            assert_eq!(environment.decide(ActorKind::Tool, name.as_bytes(), value.as_bytes()), EnvVerdict::Keep, "{name} for a tool");
        }
        let kept = [
            ("PATH", "/usr/bin"),
            ("HOME", "/home/u"),
            ("OUT_DIR", "/t"),
            ("CARGO_MAKEFLAGS", "-j"),
            ("CARGO_FEATURE_TOKEN", "1"),
            ("CARGO_PKG_NAME", "secrecy"),
            ("CARGO_PKG_REPOSITORY", "https://u:p@x"),
            ("CARGO_CFG_TARGET_OS", "linux"),
            ("DEP_OPENSSL_KEY", "x"),
            ("TOKENIZERS_PARALLELISM", "1"),
            ("XDG_SESSION_TYPE", "x11"),
            ("DESKTOP_SESSION", "x"),
            ("SSH_TTY", "/dev/pts/0"),
            ("GIT_AUTHOR_NAME", "x"),
            ("CARGO_PKG_AUTHORS", "x"),
            ("PWD", "/w"),
            ("OLDPWD", "/w"),
            ("DATABASE_URL", "sqlite:x.db"),
            ("HTTPS_PROXY", "http://proxy:8080"),
            ("LD_PRELOAD", "/x"),
            ("RUSTFLAGS", "-g"),
            ("CC", "clang"),
            ("MY_BUILD_TOKEN", "x"),
            ("CI", "true"),
            ("GITHUB_ACTIONS", "true"),
            ("PROPTEST_SEED", "1"),
            ("LC_ALL", "C"),
            ("RUST_LOG", "x"),
            ("KEYBOARD", "x"),
        ];
        for (name, value) in kept {
            let verdict = environment.decide(ActorKind::BuildScript, name.as_bytes(), value.as_bytes());
            assert_eq!(verdict, EnvVerdict::Keep, "{name}");
        }
    }
}
