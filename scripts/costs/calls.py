"""What single calls cost: one open, by a build script and by a program; and finding out which crate it was that read a secret."""

from .stage import PLAIN, report

# Opens one file again and again: which, and how often, is in the environment.
OPENS = """
fn main() {
    println!("cargo::rerun-if-env-changed=OPENS");
    let text = std::env::var("OPENS").unwrap();
    let (times, path) = text.split_once(' ').unwrap();
    for _ in 0..times.parse().unwrap() { let _ = std::fs::File::open(path); }
}
"""
TIMES = 20_000

# Reads a secret once (cold) and again under other names (warm).
BLAME = """
fn main() {
    for n in 0..40 { let _ = std::fs::read(format!("{}/.env.{n}", env!("CARGO_MANIFEST_DIR"))); }
}
"""


def opens(stage):
    script, program = stage.package("opens-script"), stage.package("opens-program", source=OPENS)
    (script / "build.rs").write_text(OPENS)
    stage.head(f"one open and close, processor, of {TIMES}")
    for who, verb, place in [("a build script", "check", script), ("a program", "run", program)]:
        kinds = [("workspace file", str(place / "Cargo.toml")), ("workspace file, relative", "Cargo.toml")]
        kinds += [("system file", "/usr/bin/env"), ("missing system file", "/usr/include/no-such-header.h")]
        for what, path in kinds:
            spent = {}
            for name in stage.columns:
                def took(times):
                    stage.env["OPENS"] = f"{times} {path}"
                    return stage.run(name, [verb, "--quiet", "--offline"], place)[1]

                took(0)  # compiles
                # Each number is a new one, which has a build script run again.
                nothing = min(took(times) for times in (1, 2, 3))
                much = min(took(TIMES + times) for times in (1, 2, 3))
                spent[name] = (much - nothing) / TIMES * 1e6
            stage.line(f"by {who}: {what}", spent, "µs", 1, "difference")
    stage.env.pop("OPENS")
    print()


def blame(stage):
    place = stage.package("blame", source=BLAME)
    for n in range(40):
        (place / f".env.{n}").write_text("CANARY\n")
    costs = {}
    for name in stage.columns:
        if name != PLAIN:
            # Brig ends with 100: something was refused.
            stage.run(name, ["run", "--quiet", "--offline"], place, code=100)
            costs[name] = report(place)["run"]["costs"]
    stage.head("blame")
    stage.line("first in a run", {name: of["blame_first_us"] / 1000 for name, of in costs.items()}, "ms", 1)
    stage.line("median of the later ones", {name: of["blame_later_us"] / 1000 for name, of in costs.items()}, "ms", 2)
    print()
