//! CI as people use it: every script of the templates and of `docs/ci.md`, run as a runner would run it, in a repository whose build is honest, and in one
//! whose build is not.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::place::{Place, brig};
use crate::run::{Outcome, Run, program};
use crate::who::Who;

const HONEST: &str = "fn main() { println!(\"cargo::rerun-if-changed=build.rs\") }\n";
const THIEF: &str = "fn main() {\n    println!(\"cargo::rerun-if-changed=build.rs\");\n    \
    let env = std::path::Path::new(&std::env::var(\"CARGO_MANIFEST_DIR\").unwrap()).join(\"../.env\");\n    \
    println!(\"cargo::warning={}\", std::fs::read_to_string(env).unwrap_or_default().trim());\n}\n";

fn text(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

/// Fenced blocks of a page in one language.
fn fenced(page: &str, language: &str) -> Vec<String> {
    let blocks = page.split("\n```").skip(1).step_by(2);
    blocks.filter_map(|block| block.strip_prefix(&format!("{language}\n"))).map(str::to_owned).collect()
}

/// Scripts of a YAML file: what stands, indented, below `run: |` or `- |`.
fn scripts(yaml: &str) -> Vec<String> {
    let mut scripts: Vec<String> = Vec::new();
    let mut above = None;
    for line in yaml.lines() {
        let indent = line.len() - line.trim_start().len();
        match above {
            Some(above) if line.trim().is_empty() || indent > above => {
                let script = scripts.last_mut().unwrap();
                script.push_str(line.get(above + 2..).unwrap_or_default());
                script.push('\n');
            }
            _ => above = None,
        }
        if above.is_none() && (line.trim() == "run: |" || line.trim() == "- |") {
            above = Some(indent);
            scripts.push(String::new());
        }
    }
    scripts
}

/// A repository with a base branch that has a policy, and a build script.
fn place(who: Who, script: &str) -> Place {
    let place = Place::new("honest-run", who);
    let workspace = place.workspace().to_owned();
    fs::remove_dir_all(&workspace).unwrap();
    let manifest =
        "[package]\nname = \"app\"\nversion = \"0.1.0\"\nedition = \"2024\"\n[dependencies]\ngiven = { path = \"given\" }\n[workspace]\n";
    place.write(&workspace.join("Cargo.toml"), manifest);
    place.write(&workspace.join("src/lib.rs"), "#[test]\nfn it() {}\n");
    place.write(&workspace.join("given/Cargo.toml"), "[package]\nname = \"given\"\nversion = \"0.1.0\"\nedition = \"2024\"\n");
    place.write(&workspace.join("given/src/lib.rs"), "");
    place.write(&workspace.join("given/build.rs"), script);
    place.write(&workspace.join("brig.toml"), "version = 1\n");
    place.write(
        &workspace.join("Cargo.lock"),
        "version = 4\n\n[[package]]\nname = \"app\"\nversion = \"0.1.0\"\ndependencies = [\n \"given\",\n]\n\n[[package]]\nname = \"given\"\nversion = \"0.1.0\"\n",
    );
    place.write(&workspace.join(".gitignore"), "/target\n/brig\n.env\n");
    place.hand_over();
    let me = ["-c", "user.name=zoo", "-c", "user.email=zoo@localhost"];
    for args in [
        &["init", "-q", "-b", "main"][..],
        &["add", "-A"],
        &["commit", "-q", "-m", "x"],
        &["update-ref", "refs/remotes/origin/main", "HEAD"],
    ] {
        let mut git = Command::new("git");
        place.environment(&mut git);
        place.who.apply(&mut git);
        assert!(git.args(me).args(args).current_dir(&workspace).status().unwrap().success(), "git {args:?}");
    }
    // Not in the repository: only this machine has it.
    place.write(&workspace.join(".env"), &format!("ZOO_SECRET={}-dotenv\n", place.canary));
    for directory in ["run/temp", "run/files"] {
        place.write(&place.path(directory).join("keep"), "");
    }
    place.hand_over();
    place
}

/// As a step of a job.
fn step<'p>(place: &'p Place, shell: &str, script: &str) -> Run<'p> {
    let bin = brig().parent().unwrap().to_str().unwrap().to_owned();
    let script = format!("PATH={bin}:$PATH\n{script}");
    let file = |name: &str| place.path("run/files").join(name);
    let args: &[&str] = if shell == "bash" { &["--noprofile", "--norc", "-eo", "pipefail", "-c", &script] } else { &["-e", "-c", &script] };
    program(place, shell.as_ref(), args)
        .env("GITHUB_ACTIONS", "true")
        .env("GITHUB_STEP_SUMMARY", file("summary"))
        .env("GITHUB_OUTPUT", file("output"))
        .env("GITHUB_BASE_REF", "main")
        .env("CI_MERGE_REQUEST_TARGET_BRANCH_NAME", "main")
        .env("RUNNER_TEMP", place.path("run/temp"))
        .env("CARGO_NET_OFFLINE", "true")
        .env("SOURCE", env!("CARGO_MANIFEST_DIR"))
        .env("COMMAND", "test --locked")
        .env("POLICY", "ci")
        .env("BRIG_POLICY", "ci")
}

fn sarif(path: &Path) -> usize {
    let log: Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    log["runs"][0]["results"].as_array().unwrap().len()
}

fn quiet(outcome: &Outcome, place: &Place) {
    let all = outcome.stdout_text() + &outcome.stderr_text();
    assert!(!all.contains(&format!("{}-dotenv", place.canary)), "the canary is told\n{outcome}");
}

#[test]
fn the_templates_do_what_they_say() {
    let action = scripts(&text("action.yml"));
    assert_eq!(action.len(), 2, "{action:?}");
    let gitlab = scripts(&text("ci/brig.gitlab-ci.yml"));
    assert_eq!(gitlab.len(), 1, "{gitlab:?}");
    for who in Who::all() {
        let honest = place(who, HONEST);
        step(&honest, "bash", &action[0]).go().exits(0);
        step(&honest, "bash", &action[1]).go().exits(0);
        let out = honest.path("run/temp/brig");
        assert_eq!(sarif(&out.join("brig.sarif")), 0);
        let summary = honest.path("run/files/summary");
        assert!(fs::read_to_string(&summary).unwrap().starts_with("## Brig: clean\n"));
        assert!(fs::read_to_string(honest.path("run/files/output")).unwrap().ends_with("brig/brig.sarif\n"));

        let thief = place(who, THIEF);
        let plain = program(&thief, "cargo".as_ref(), &["build", "--offline"]).go();
        assert!(plain.stderr_text().contains(&format!("{}-dotenv", thief.canary)), "plain cargo: nothing is stolen\n{plain}");
        thief.clean();
        let caught = step(&thief, "bash", &action[1]).go();
        quiet(caught.exits(100), &thief);
        let annotation = caught.stderr_text().lines().any(|line| line.starts_with("::error file=") && line.contains("given"));
        assert!(annotation, "{caught}");
        assert_eq!(sarif(&thief.path("run/temp/brig/brig.sarif")), 1);
        assert!(fs::read_to_string(thief.path("run/files/summary")).unwrap().starts_with("## Brig: violation\n"), "{caught}");
        // A request that opens its own walls: the floor is the base branch's.
        thief.clean();
        let wide = "version = 1\npolicy = \"mine\"\n[profile.mine]\ninherits = \"ci\"\nnot-secrets = [\"{workspace}/.env\"]\n";
        thief.write(&thief.workspace().join("brig.toml"), wide);
        let held = step(&thief, "bash", &action[1]).go();
        assert!([96, 100].contains(&held.code), "{held}");
        quiet(&held, &thief);
        thief.write(&thief.workspace().join("brig.toml"), "version = 1\n");
        thief.clean();
        let merged = step(&thief, "sh", &gitlab[0]).go();
        quiet(merged.exits(100), &thief);
        assert_eq!(sarif(&thief.workspace().join("brig/brig.sarif")), 1);
        let of_merge = |name: &str| fs::read_to_string(thief.workspace().join("brig").join(name)).unwrap();
        let junit = of_merge("brig.junit.xml");
        assert!(
            junit.contains("failures=\"1\"") && junit.contains("<failure type=\"secret/read\" message=\"build script of `given`"),
            "{junit}"
        );
        let alerts: Value = serde_json::from_str(&of_merge("gl-code-quality-report.json")).unwrap();
        assert_eq!((&alerts[0]["check_name"], alerts.as_array().unwrap().len()), (&"secret/read".into(), 1), "{alerts}");
    }
}

/// As behind `| head`: with nobody at the other end of either stream, and a report with a finding in it.
fn whoever_reads_may_go_away(place: &Place) {
    let gone = || {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        writer
    };
    let code = |program: &Path, args: &[&str]| {
        let mut command = Command::new(program);
        place.environment(&mut command);
        place.who.apply(&mut command);
        command.args(args).current_dir(place.workspace()).stdin(std::process::Stdio::null()).stdout(gone()).stderr(gone());
        command.status().unwrap().code()
    };
    for args in [&["report"][..], &["report", "--html", "-"], &["report", "--list"], &["explain", "F1"], &["profile", "show"], &["--help"]]
    {
        assert_eq!(code(brig(), args), Some(0), "{args:?}");
    }
    // Cargo stops where it cannot say what it compiles; nothing of ours is in its way.
    let build = |program: &Path| {
        place.clean();
        code(program, &["build", "--offline"])
    };
    assert_eq!(build(brig()), build(Path::new("cargo")));
}

#[test]
fn the_page_does_what_it_says() {
    let page = text("docs/ci.md");
    let shell = fenced(&page, "sh");
    assert_eq!(shell.len(), 6, "{shell:?}");
    let honest = place(Who::Myself, HONEST);
    for script in &shell {
        honest.clean();
        step(&honest, "bash", script).go().exits(0);
    }
    let thief = place(Who::Myself, THIEF);
    for script in &shell {
        thief.clean();
        let caught = step(&thief, "bash", script).go();
        quiet(caught.exits(100), &thief);
    }
    // A base branch without a policy of its own: the request's is left out, whatever it opens.
    let floor = shell.iter().find(|script| script.contains("--floor")).unwrap();
    let kept = fs::read_to_string(thief.workspace().join("brig.toml")).unwrap();
    thief.write(&thief.workspace().join("brig.toml"), "version = 1\nmode = \"observe\"\n");
    thief.clean();
    quiet(step(&thief, "bash", floor).env("GITHUB_BASE_REF", "none").go().exits(100), &thief);
    thief.write(&thief.workspace().join("brig.toml"), &kept);
    // Questions of the README's, to the report of that build.
    thief.clean();
    step(&thief, "bash", "cargo-brig build --locked").go().exits(100);
    let questions = fenced(&text("README.md"), "sh").into_iter().find(|block| block.contains("jq")).unwrap();
    let answers = step(&thief, "bash", &questions).go();
    assert!(answers.exits(0).stdout_text().lines().any(|line| line == "given 0.1.0"), "{answers}");
    whoever_reads_may_go_away(&thief);
    let schema = program(&thief, brig().as_os_str(), &["report", "--schema"]).go();
    let schema: Value = serde_json::from_slice(&schema.exits(0).stdout).unwrap();
    assert_eq!(schema["title"], "brig.report/2");
    // An editor reads cargo's messages, and nothing else, from where cargo writes them.
    let words: Vec<String> = serde_json::from_str(&fenced(&page, "json")[0]).unwrap();
    honest.clean();
    let args: Vec<&str> = words[1..].iter().map(String::as_str).collect();
    assert_eq!(words[0], "cargo-brig");
    let told = program(&honest, brig().as_os_str(), &args).go();
    let messages = told.exits(0).stdout_text();
    assert!(messages.lines().all(|line| serde_json::from_str::<Value>(line).is_ok()) && messages.contains("\"build-finished\""), "{told}");
    assert!(fs::read_dir(honest.workspace().join("target/brig-editor")).unwrap().count() > 1, "{told}");
    // The rest of a workflow is what the action is given.
    let inputs = text("action.yml");
    for block in fenced(&page, "yaml") {
        assert!(block.contains("command: test --locked") && inputs.contains("  command:\n"), "{block}");
    }
}
