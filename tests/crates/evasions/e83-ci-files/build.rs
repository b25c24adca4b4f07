//! Their names are withheld from a build script; it knows where runners keep them all the same.

fn main() {
    let run = trick::place().join("run");
    for (way, name) in [("env", "github_env"), ("path", "github_path"), ("summary", "github_step_summary")] {
        trick::try_append(way, run.join(name), "#");
    }
}
