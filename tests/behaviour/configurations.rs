//! What a build script can read of its repository's configurations: not one credential, in whatever shape it is written, wherever git,
//! cargo, Mercurial and Jujutsu keep or include it; and all that git and a nested cargo need.

use crate::place::Place;
use crate::run::{cargo, guarded, shell};
use crate::who::Who;

/// Files below the workspace; each line with a canary under a key or in a shape of its own.
const FILES: [(&str, &str); 16] = [
    (
        ".cargo/config.toml",
        "include = [\"private.toml\", \"../more/shared.toml\"]\n[registries]\ncorp = { index = \"sparse+http://127.0.0.1:9/\", token = \"§-inline\" }\n\
         [registries.other]\nindex = \"sparse+http://u:§-index@127.0.0.1:9/o/\"\ntoken = \"\"\"\n§-multiline\"\"\"\n[http]\nproxy = \"me:§-proxy@127.0.0.1:9\"\n\
         [env]\nOPENAI_API_KEY = \"§-key\"\nDEPLOY_KEY = { value = \"§-table\" }\nPLAIN = \"plain\" # §-comment\n[alias]\nup = \"publish --token §-alias\"\n\
         [net]\nretry = 1\n",
    ),
    (".cargo/private.toml", "[registries.fourth]\ntoken = '§-included'\n"),
    (".cargo/config.toml.bak", "[registry]\ntoken = \"§-backup\"\n"),
    ("more/shared.toml", "[registries.fifth]\ntoken = '''§-elsewhere'''\n"),
    (
        ".git/config",
        "[core]\n\tbare = false\n\tsshCommand = sshpass -p §-ssh ssh\n[remote \"origin\"]\n\turl = https://me:§-url@git.example/x.git\n\
         [http \"https://git.example/\"]\n\textraheader = AUTHORIZATION: basic §-header\n[alias]\n\tup = \"!curl -H 'X: §-command'\"\n\
         [include]\n\tpath = extra.inc\n\tpath = ../more/git.inc\n",
    ),
    (".git/extra.inc", "[http]\n\textraheader = X: §-included\n"),
    ("more/git.inc", "[http]\n\textraheader = X: §-elsewhere\n"),
    (".git/modules/vendor/lib/config", "[http]\n\textraheader = X: §-module\n"),
    (".git/worktrees/w/config.worktree", "[http]\n\textraheader = X: §-worktree\n"),
    (".git/config.lock", "[http]\n\textraheader = X: §-lock\n"),
    (".git/broken", "[http\n§-broken\n"),
    (".hg/hgrc", "[paths]\ndefault = https://me:§-hg@hg.example/x\n[auth]\nx.password = §-auth\n"),
    (".jj/repo/config.toml", "# §-jj\n[git]\npush = \"§-push\"\n"),
    (".npmrc", "//registry.example/:_authToken=§-npm\n"),
    ("pip.conf", "[global]\nindex-url = https://me:§-pip@pypi.example/\n"),
    (".docker/config.json", "{\"auths\":{\"x\":{\"auth\":\"§-docker\"}}}\n"),
];

fn place(who: Who) -> Place {
    let place = Place::new("configurations", who);
    for (path, text) in FILES {
        place.write(&place.workspace().join(path), &text.replace('§', &place.canary));
    }
    place.write(&place.workspace().join(".git/HEAD"), "ref: refs/heads/main\n");
    place.write(&place.workspace().join("files.txt"), &FILES.map(|(path, _)| path).join("\n"));
    place
}

#[test]
fn no_credential_is_read_in_any_shape() {
    for who in Who::all() {
        let place = place(who);
        let plain = cargo(&place, &["build", "--offline"]).go();
        plain.exits(0);
        for (path, text) in FILES {
            let marks: Vec<&str> = text
                .split('§')
                .skip(1)
                .map(|rest| rest.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-')).next().unwrap())
                .collect();
            for mark in marks {
                assert!(plain.stderr_text().contains(&format!("{}{mark}", place.canary)), "the control: {path} {mark}\n{plain}");
            }
        }
        place.clean();
        let outcome = guarded(&place, &[], &["build", "--offline"]).go();
        assert!(!outcome.stderr_text().contains(&place.canary), "{outcome}");
        assert!(!outcome.report().to_string().contains(&place.canary));
        for honest in
            ["bare = false", "https://git.example/x.git", "retry = 1", "PLAIN", "https://hg.example/x", ".git/broken: PermissionDenied"]
        {
            assert!(outcome.stderr_text().contains(honest), "{honest}\n{outcome}");
        }
    }
}

/// Git and a nested cargo read their copies as the configurations they are.
#[test]
fn what_is_handed_over_is_still_a_configuration() {
    let place = place(Who::Myself);
    shell(
        &place,
        "rm -rf .git && git init -q && git config remote.origin.url https://me:x@git.example/x.git && git config alias.up status",
    )
    .go()
    .exits(0);
    let script = "fn main() {\n    let said = |program: &str, args: &[&str]| {\n        let out = std::process::Command::new(program).args(args).output().unwrap();\n        \
                  format!(\"{:?} {:?} {:?}\", out.status.code(), String::from_utf8_lossy(&out.stdout).chars().take(300).collect::<String>(), String::from_utf8_lossy(&out.stderr))\n    };\n    \
                  println!(\"cargo:warning=url {}\", said(\"git\", &[\"config\", \"--get\", \"remote.origin.url\"]));\n    \
                  println!(\"cargo:warning=nested {}\", said(&std::env::var(\"CARGO\").unwrap(), &[\"locate-project\"]));\n    \
                  println!(\"cargo:warning=state {}\", said(\"git\", &[\"rev-parse\", \"--is-inside-work-tree\"]));\n}\n";
    place.write(&place.workspace().join("build.rs"), script);
    let outcome = guarded(&place, &[], &["build", "--offline"]).go();
    outcome.exits(0);
    let said = outcome.stderr_text();
    assert!(said.contains("url Some(0) \"https://git.example/x.git\\n\""), "{outcome}");
    assert!(said.contains("nested Some(0)") && said.contains("state Some(0) \"true\\n\""), "{outcome}");
}
