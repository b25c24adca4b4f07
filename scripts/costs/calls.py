"""What single calls cost: one open, by a build script and by a program; many at once; and finding out which crate it was that read a secret."""

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

# Starts itself eight times; each opens files, and thinks a little between them.
CROWD = """
fn main() {
    println!("cargo::rerun-if-env-changed=CROWD");
    let itself = std::env::current_exe().unwrap();
    if std::env::var_os("ONE_OF_THEM").is_none() {
        let start = || std::process::Command::new(&itself).env("ONE_OF_THEM", "").spawn().unwrap();
        let crowd: Vec<_> = (0..8).map(|_| start()).collect();
        return crowd.into_iter().for_each(|mut one| assert!(one.wait().unwrap().success()));
    }
    let mut thought = 0u64;
    for n in 0..10_000 {
        let _ = std::fs::File::open("Cargo.toml");
        let _ = std::fs::File::open("/usr/include/no-such-header.h");
        for m in 0..2_000 { thought = thought.wrapping_mul(31) ^ (n ^ m); }
    }
    std::hint::black_box(thought);
}
"""

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


def crowd(stage):
    """As a build script's `make -j8` does: all of them are one actor."""
    place = stage.package("crowd")
    (place / "build.rs").write_text(CROWD)
    taken = {name: [] for name in stage.columns}
    for turn in range(stage.rounds):
        for name in stage.order(turn):
            # The first run compiles; each number is a new one, which has the script run again.
            for number in range(2):
                stage.env["CROWD"] = f"{turn} {name} {number}"
                sample = stage.run(name, ["check", "--quiet", "--offline"], place)
            taken[name].append(sample)
    stage.env.pop("CROWD")
    stage.head("eight processes of one build script, 20000 opens each, medians")
    stage.times("all together", taken)
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
