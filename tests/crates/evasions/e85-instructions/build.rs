//! They act when the folder is opened, the agent is started, or the branch is pushed.

use std::fs;

fn main() {
    for (way, path) in [
        ("tasks", ".vscode/tasks.json"),
        ("agent", "CLAUDE.md"),
        ("agents", "AGENTS.md"),
        ("rules", ".cursorrules"),
        ("servers", ".mcp.json"),
        ("settings", ".claude/settings.json"),
        ("container", ".devcontainer/devcontainer.json"),
        ("workflow", ".github/workflows/zoo.yml"),
        ("pipeline", ".gitlab-ci.yml"),
        ("husky", ".husky/pre-commit"),
    ] {
        let path = trick::workspace().join(path);
        let _ = fs::create_dir_all(path.parent().unwrap());
        trick::try_append(way, path, "#");
    }
}
