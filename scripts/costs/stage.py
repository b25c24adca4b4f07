"""Where things are measured: columns (plain cargo, another Brig, this one), a clock for one command, and the lines of a table."""

import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PLAIN, BEFORE, OURS = "plain cargo", "before", "under Brig"


class Stage:
    def __init__(self, top, brig, before, rounds):
        self.top, self.rounds = top, rounds
        # What `cargo brig` finds in its environment when rustup's shim has started it; plain cargo gets the same.
        sysroot = Path(subprocess.check_output(["rustc", "--print", "sysroot"], text=True).strip())
        self.cargo = str(sysroot / "bin/cargo")
        self.env = dict(os.environ, CARGO=self.cargo, RUSTUP_TOOLCHAIN=sysroot.name)
        self.env.pop("CARGO_TARGET_DIR", None)
        self.columns = {PLAIN: [self.cargo], **({BEFORE: [before]} if before else {}), OURS: [brig]}

    def compiler(self):
        return subprocess.check_output(["rustc", "--version"], text=True, env=self.env).strip()

    def package(self, name, dependencies="", source="fn main() {}\n"):
        """A package of that name, with what it depends on fetched."""
        place = self.top / name
        (place / "src").mkdir(parents=True)
        manifest = f'[package]\nname = "{name}"\nversion = "0.1.0"\nedition = "2024"\n[dependencies]\n{dependencies}\n[workspace]\n'
        (place / "Cargo.toml").write_text(manifest)
        (place / "src/main.rs").write_text(source)
        subprocess.run([self.cargo, "fetch", "--quiet"], cwd=place, env=self.env, check=True)
        return place

    def run(self, name, arguments, place, code=0):
        """One command in a column, which has to end with this code. Returns seconds by the clock, and of processor time with all children."""
        before, begin = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
        command = self.columns[name] + arguments
        done = subprocess.run(command, cwd=place, env=self.env, stdin=subprocess.DEVNULL, capture_output=True, text=True)
        wall, after = time.monotonic() - begin, resource.getrusage(resource.RUSAGE_CHILDREN)
        if done.returncode != code:
            sys.exit(f"{name}: {' '.join(command)} ended with {done.returncode}\n{done.stderr[-4000:]}")
        return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    def clean(self, name, arguments, place):
        """The same without results of earlier runs; with it, what Brig itself says it cost, and how many acts it has on record. Each run is also
        told on standard error at once: medians come at the end, and a run of many minutes that ends early has measured something."""
        lay_aside(place / "target", self.top)
        wall, cpu = self.run(name, arguments, place)
        print(f"{time.strftime('%H:%M:%S')} {place.name}, {name}: wall {wall:.2f} s, processor {cpu:.2f} s", file=sys.stderr, flush=True)
        if name == PLAIN:
            return wall, cpu, {}
        said = report(place)
        return wall, cpu, {**said["run"]["costs"], "acts": said["coverage"]["events"]}

    def order(self, turn):
        """The columns in another order each time: nobody always comes first."""
        names = list(self.columns)
        return names[turn % len(names):] + names[:turn % len(names)]

    def head(self, what):
        print(f"| {what} | {' | '.join(self.columns)} | Brig against plain |\n|---|{'---|' * (len(self.columns) + 1)}")

    def line(self, what, values, unit, digits, against=None):
        """One line: a value for each column, and what ours is `against` plain cargo's: "ratio", "difference" or nothing."""
        cells = [f"{values[name]:.{digits}f} {unit}" if name in values else "" for name in self.columns]
        plain, ours = values.get(PLAIN), values[OURS]
        last = {"ratio": lambda: f"{ours / plain:.3f}×", "difference": lambda: f"{ours - plain:+.{digits}f} {unit}", None: str}[against]()
        print(f"| {what} | {' | '.join(cells)} | {last} |", flush=True)

    def times(self, what, samples, unit="s", digits=2, scale=1, against="ratio"):
        """Medians of (wall, processor, …) samples, and the least processor time: what the machine's other work adds is never negative."""
        def of(which, choose):
            return {name: choose(sample[which] for sample in taken) * scale for name, taken in samples.items()}

        self.line(f"{what}, wall", of(0, statistics.median), unit, digits, against)
        self.line(f"{what}, processor", of(1, statistics.median), unit, digits, against)
        self.line(f"{what}, processor, least", of(1, min), unit, digits, against)


def lay_aside(target, top):
    """Takes results of earlier runs out of the way, to somewhere in `top`. They are not removed: ext4 without a journal does not give an inode
    out again for minutes, and looks at each that it passes over (`recently_deleted`), so a removed target directory makes the builds after it
    slower, whoever runs them."""
    if target.exists():
        target.rename(Path(tempfile.mkdtemp(prefix="aside-", dir=top)) / "target")


def report(place):
    return json.loads((place / "target/brig/report.json").read_text())
