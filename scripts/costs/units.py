"""What one unit costs in a workspace of 50, 200, 500 and 800 of them, every fifth with a build script; and our own memory meanwhile, of all
our processes together."""

import os
import statistics
import threading
import time
from pathlib import Path

from .stage import OURS, PLAIN

SIZES = [50, 200, 500, 800]
SCRIPT = 'fn main() { println!("cargo::rerun-if-changed=build.rs"); }\n'


def measure(stage):
    columns = [name for name in stage.columns if name != PLAIN]
    cells = " | ".join(f"{name}: processor | per unit, more than plain | our memory, all processes" for name in columns)
    print(f"| units (and build scripts), medians of {min(stage.rounds, 3)} | plain: processor | {cells} |")
    print(f"|---|---|{'---|' * (3 * len(columns))}")
    for size in SIZES:
        place = workspace(stage, size)
        spent, memory = {name: [] for name in stage.columns}, {name: [] for name in columns}
        for turn in range(min(stage.rounds, 3)):
            for name in stage.order(turn):
                with Memory(stage.columns[name][0]) as most:
                    spent[name].append(stage.clean(name, ["check", "--offline", "--quiet", "--workspace"], place)[1])
                if name != PLAIN:
                    memory[name].append(most.kib)
        median = {name: statistics.median(of) for name, of in spent.items()}
        cells = [f"{size} ({size // 5})", f"{median[PLAIN]:.1f} s"]
        for name in columns:
            more = (median[name] - median[PLAIN]) / (size + 2 * (size // 5)) * 1000
            cells += [f"{median[name]:.1f} s ({median[name] / median[PLAIN]:.3f}×)", f"{more:+.1f} ms", f"{max(memory[name]) / 1024:.0f} MiB"]
        print(f"| {' | '.join(cells)} |", flush=True)
    print("\nA build script is three units: its compiler, itself, and the compiler of its package.\n")


def workspace(stage, size):
    """Packages side by side, each of which needs the one ten before it: wide, and eighty deep at most."""
    top = stage.top / f"units-{size}"
    for n in range(size):
        place = top / f"unit-{n}"
        (place / "src").mkdir(parents=True)
        needs = f'unit-{n - 10} = {{ path = "../unit-{n - 10}" }}' if n >= 10 else ""
        manifest = f'[package]\nname = "unit-{n}"\nversion = "0.1.0"\nedition = "2024"\n[dependencies]\n{needs}\n'
        (place / "Cargo.toml").write_text(manifest)
        (place / "src/lib.rs").write_text(f"pub fn number() -> u32 {{ {n} }}\n")
        if n % 5 == 0:
            (place / "build.rs").write_text(SCRIPT)
    (top / "Cargo.toml").write_text('[workspace]\nresolver = "3"\nmembers = ["unit-*"]\n')
    return top


class Memory:
    """The most memory that all processes of one program have at once, in KiB; those of a program that is no Brig have none."""

    def __init__(self, program):
        self.program, self.kib, self.over = str(Path(program).resolve()), 0, threading.Event()

    def __enter__(self):
        self.thread = threading.Thread(target=self.watch)
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()

    def watch(self):
        while not self.over.wait(0.25):
            self.kib = max(self.kib, sum(proportional(pid) for pid in os.listdir("/proc") if pid.isdigit() and runs(pid, self.program)))


def runs(pid, program):
    try:
        return os.readlink(f"/proc/{pid}/exe") == program
    except OSError:
        return False


def proportional(pid):
    """What is shared between processes counts once (`Pss`, proc_pid_smaps_rollup(5))."""
    try:
        with open(f"/proc/{pid}/smaps_rollup") as lines:
            return next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    except (OSError, StopIteration):
        return 0
