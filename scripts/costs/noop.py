"""A build with nothing to do: workspaces of a few packages and of many, each with a build script and a macro among them."""

from .stage import Stage

# Everybody in turns; the first round of each warms what is read for the first time and is not counted.
ROUNDS = 20


def measure(stage: Stage):
    for members in (2, 90):
        place = workspace(stage, members)
        samples = {name: [] for name in stage.columns}
        # Each its own results: a command line that differs would have cargo build anew.
        for name in stage.columns:
            stage.run(name, ["build", "--offline"], place)
        for turn in range(max(ROUNDS, stage.rounds)):
            for name in stage.order(turn):
                samples[name].append(stage.run(name, ["build", "--offline"], place))
        stage.head(f"nothing to do, {members} packages, {max(ROUNDS, stage.rounds)} rounds in turns, medians")
        stage.times("no-op build", samples, "ms", 0, 1000, "difference")
        print()


def workspace(stage, members):
    """One macro, one package with a build script, libraries that use both."""
    place = stage.top / f"noop-{members}"
    (place / "src").mkdir(parents=True)
    names = [f"m{number:02}" for number in range(members)]
    for number, name in enumerate(names):
        (place / name / "src").mkdir(parents=True)
        manifest = f'[package]\nname = "{name}"\nversion = "0.1.0"\nedition = "2024"\n'
        source = "pub fn one() {}\n"
        if number == 0:
            manifest += "[lib]\nproc-macro = true\n"
            source = "#[proc_macro]\npub fn same(it: proc_macro::TokenStream) -> proc_macro::TokenStream {\n    it\n}\n"
        else:
            manifest += f'[dependencies]\n{names[0]} = {{ path = "../{names[0]}" }}\n'
        if number % 10 == 1:
            (place / name / "build.rs").write_text("fn main() {}\n")
        (place / name / "Cargo.toml").write_text(manifest)
        (place / name / "src/lib.rs").write_text(source)
    (place / "src").rmdir()
    listed = ", ".join(f'"{name}"' for name in names)
    (place / "Cargo.toml").write_text(f"[workspace]\nresolver = \"3\"\nmembers = [{listed}]\n")
    return place
