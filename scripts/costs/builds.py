"""Clean builds of crates from the registry: Rust only, and mostly C; and a build with nothing to do."""

import statistics

from .stage import OURS, PLAIN

# About sixty crates, none of which needs a C compiler.
RUST = """
anyhow = "1"
clap = { version = "4", features = ["derive"] }
csv = "1"
indexmap = "2"
itertools = "0.14"
rand = "0.9"
regex = "1"
serde = { version = "1", features = ["derive"] }
serde_json = "1"
thiserror = "2"
tokio = { version = "1", features = ["full"] }
toml = "0.9"
tracing = "0.1"
url = "2"
walkdir = "2"
"""

# C libraries that crates bring with them: hundreds of compilers, each of which looks for its headers in every directory.
C = """
bzip2-sys = { version = "0.1", features = ["static"] }
libgit2-sys = { version = "0.18", features = ["vendored"] }
libmimalloc-sys = "0.1"
libsqlite3-sys = { version = "0.35", features = ["bundled"] }
libz-sys = { version = "1", features = ["static"] }
lzma-sys = { version = "0.1", features = ["static"] }
mozjpeg-sys = { version = "2", default-features = false }
onig_sys = { version = "69", default-features = false }
pcre2-sys = "0.2"
ring = "0.17"
zstd-sys = "2"
"""


def rust(stage):
    place = stage.package("rust-only", RUST)
    clean, noop = rounds(stage, place, idle=7)
    stage.head(f"Rust only, {crates(place)} packages in the lock file, medians")
    stage.times("clean build", clean)
    stage.times("no-op build", noop, "ms", 0, 1000, "difference")
    costs(stage, clean)


def c(stage):
    place = stage.package("mostly-c", C)
    clean, _ = rounds(stage, place, idle=0)
    # Misses, and files of the system and of the registry that are open to everybody, are answered and not counted.
    acts = clean[OURS][-1][2]["acts"]
    stage.head(f"mostly C, {crates(place)} packages in the lock file, {acts} acts on record, medians")
    stage.times("clean build", clean)
    costs(stage, clean)


def rounds(stage, place, idle):
    """Everybody once in each round, in turns, and then `idle` times with nothing to do."""
    clean, noop = {name: [] for name in stage.columns}, {name: [] for name in stage.columns}
    # What is read for the first time comes from the disk: nobody's first round is to pay for that.
    stage.clean(PLAIN, ["build", "--offline"], place)
    for turn in range(stage.rounds):
        for name in stage.order(turn):
            clean[name].append(stage.clean(name, ["build", "--offline"], place))
            noop[name] += [stage.run(name, ["build", "--offline"], place) for _ in range(idle)]
    return clean, noop


def costs(stage, clean):
    """What Brig says of itself."""
    def said(key, scale):
        return {name: statistics.median(costs[key] for _, _, costs in of) / scale for name, of in clean.items() if name != PLAIN}

    stage.line("confining one actor, elapsed, mean", said("confine_us", 1000), "ms", 2)
    stage.line("our own peak memory", said("peak_memory_kib", 1024), "MiB", 0)
    print()


def crates(place):
    return (place / "Cargo.lock").read_text().count("[[package]]")
