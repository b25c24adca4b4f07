"""Brig and its peers in one run: what each costs on the same clean build, and what each stops and records of the demo's thefts. In: the
input of `scripts/bench`, rounds, and how long new rounds may begin. Out: two Markdown tables, and how each was set up."""

import os
import platform
import shutil
import statistics
import sys
import tempfile
import time

from costs.stage import lay_aside

from . import home, thefts, tools


def compare(dependencies, brig, rounds, minutes):
    home.open_home()
    everybody = tools.all_of_them()
    tools.install(everybody, brig)
    title()
    asked = [tool for tool in everybody if tool.asked and not tool.trouble]
    answers = {(theft, tool): words for tool in asked for theft, words in ask(tool)}
    place, racers = line_up(everybody, dependencies)
    spent = clock(racers, place, rounds, minutes)
    costs(everybody, spent)
    stopped(asked, answers)
    setups(everybody)


def say(text):
    print(text, file=sys.stderr, flush=True)


def title():
    model = next((line.split(": ")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), platform.machine())
    rust = home.run(["rustc", "--version"], home.HOME).text.strip()
    who = "as an ordinary user" if home.resident() or os.geteuid() else "as root"
    print(f"{time.strftime('%Y-%m-%d')}, {os.cpu_count()} processors ({model}), Linux {os.uname().release}, {rust}, {who}.")


def go(tool, place, verb):
    """One run of a tool in a workspace without results of earlier ones."""
    shutil.rmtree(place / "target", ignore_errors=True)
    # One that was interrupted may have left its own.
    tools.CONFIG.unlink(missing_ok=True)
    tool.prepare(place)
    try:
        return home.run(tool.command(verb), place, tool.environment(place))
    finally:
        tool.after()


def line_up(everybody, dependencies):
    """The input with everything fetched, and whoever can be timed on it."""
    manifest = f'[package]\nname = "bench-input"\nversion = "0.1.0"\nedition = "2024"\n[dependencies]\n{dependencies}\n[workspace]\n'
    place = home.workspace("bench-input", {"Cargo.toml": manifest, "src/main.rs": "fn main() {}\n"})
    fetched = home.run(["cargo", "fetch"], place)
    if fetched.code != 0:
        raise SystemExit(f"the input cannot be fetched: {fetched.text}")
    racers = [tool for tool in everybody if tool.timed and not tool.trouble]
    for tool in racers:
        tool.warm_up(place)
    return place, racers


def clock(racers, place, rounds, minutes):
    """Rounds of clean builds, everybody once in each; the order turns, so that nobody always follows the same one."""
    crates = (place / "Cargo.lock").read_text().count("[[package]]")
    print(f"{crates} packages in the lock file, load before the rounds {os.getloadavg()[0]:.1f}, ", end="")
    spent, begin, turn = {tool: [] for tool in racers}, time.monotonic(), 0
    with tempfile.TemporaryDirectory(dir=place.parent) as aside:
        while turn < rounds and (turn == 0 or time.monotonic() - begin < minutes * 60):
            for tool in racers[turn % len(racers):] + racers[:turn % len(racers)]:
                if tool.trouble or slow(tool, racers[0], spent):
                    continue
                lay_aside(place / "target", aside)
                done = go(tool, place, "build")
                if done.code != 0:
                    tool.trouble = f"the build ended with {done.code}: {tools.last_words(done)}"
                else:
                    spent[tool].append((done.wall, done.cpu))
                    say(f"{tool.name}: {done.wall:.1f} s, processor {done.cpu:.1f} s")
            turn += 1
    print(f"{turn} rounds, interleaved.\n")
    return spent


def slow(tool, plain, spent):
    """One round is enough to see that somebody takes three times as long as plain cargo."""
    return bool(spent[tool] and spent[plain]) and spent[tool][0][0] > 3 * spent[plain][0][0]


def costs(everybody, spent):
    def median(tool, which):
        return statistics.median(one[which] for one in spent[tool])

    plain = everybody[0]
    print("| clean build, medians | version | wall | processor | wall against plain | processor against plain | runs |\n|---|---|---|---|---|---|---|")
    for tool in everybody:
        if not tool.timed:
            continue
        if not spent.get(tool):
            print(f"| {tool.name} | {tool.version} | does not work here: {cell(tool.trouble)} | | | | |")
            continue
        against = [f"{median(tool, which) / median(plain, which):.2f}×" for which in (0, 1)]
        print(f"| {tool.name} | {tool.version} | {median(tool, 0):.1f} s | {median(tool, 1):.1f} s | {' | '.join(against)} | {len(spent[tool])} |")
    print()


def ask(tool):
    """Every theft, tried under this tool."""
    everything = [thefts.HONEST, *thefts.THEFTS]
    for workspace in dict.fromkeys(theft.workspace for theft in everything):
        mine = [theft for theft in everything if theft.workspace == workspace]
        stage = thefts.set_stage(mine[0])
        locked = home.run(["cargo", "generate-lockfile", "--offline"], stage.place)
        if locked.code != 0:
            raise SystemExit(f"{workspace}: {locked.text}")
        done = go(tool, stage.place, mine[0].cargo)
        # To be looked at by whoever doubts an answer.
        (home.CACHE / f"said-{workspace}-{type(tool).__name__}").write_text(done.text)
        for theft in mine:
            words = answer(tool, theft, stage, done)
            say(f"{tool.name}, {workspace}: {words}")
            if type(tool) is tools.Tool and words not in ("works", "happened"):
                raise SystemExit(f"{workspace} does not do under plain cargo what it is there for, so it proves nothing:\n{done.text}")
            yield theft.what, words
        stage.sink.close()


def stopped(asked, answers):
    print(f"| what is tried | {' | '.join(tool.name for tool in asked)} |\n|---|{'---|' * len(asked)}")
    for theft in [thefts.HONEST, *thefts.THEFTS]:
        print(f"| {theft.what} | {' | '.join(answers[theft.what, tool] for tool in asked)} |")
    print()


def answer(tool, theft, stage, done):
    seen = thefts.happened(theft, stage, done)
    if theft is thefts.HONEST:
        return "works" if seen and done.code == 0 else f"refused: {cell(tools.last_words(done))}"
    if type(tool) is tools.Tool:
        return "happened" if seen else "stopped"
    return f"{'**happened**' if seen else 'stopped'}, {tool.record(theft, stage, done)}"


def cell(text):
    return (text or "").replace("|", "\\|").replace("\n", " ").replace(str(home.HOME), "~")


def setups(everybody):
    print("How each was set up:\n")
    for tool in everybody:
        version = f" {tool.version}" if tool.version else ""
        how = f" Installed by {tool.how}." if tool.how else ""
        trouble = f" **Does not work here:** {cell(tool.trouble)}." if tool.trouble else ""
        print(f"- **{tool.name}**{version}: {tool.setup}.{how}{trouble}")
