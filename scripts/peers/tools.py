"""The peers: which version, how it is installed, how it is set up as its own documentation says, and how its record is read. In: nothing.
Out: a list of tools, and for each what it says of a theft: nothing, the act, or the act and the crate."""

import json
import os
import re
import shutil
import subprocess

from . import home

NOTHING, SEEN, NAMED = "no record", "recorded", "recorded, named"
LOG = home.CACHE / "strace.log"
BRIG = home.BIN / "cargo-brig"
# Cargo's own configuration in the home; there only while somebody needs it.
CONFIG = home.HOME / ".cargo/config.toml"

# What Brig looks at, too: opening, changing names, starting programs, sockets. Not `stat`. With `process`, so that a reader can tell whose
# child a process was.
CALLS = (
    "open,openat,openat2,creat,execve,execveat,clone,clone3,fork,vfork,connect,bind,sendto,sendmsg,sendmmsg,"
    "unlink,unlinkat,rename,renameat,renameat2,link,linkat,symlink,symlinkat,mkdir,mkdirat,chmod,fchmodat,truncate"
)

ACL_CONFIG = """[common]
version = 2
import_std = ["fs", "net", "process", "env", "terminate"]
build_flags = []

[sandbox]
kind = "Bubblewrap"
"""


class Tool:
    """Plain cargo; and what every other one does not do differently."""

    name = "plain cargo"
    setup = "`cargo build --offline`, `cargo test --offline`"
    crate = None
    version = ""
    # Taken when `version` cannot be installed.
    older = None
    # A Debian package and the program in it, if it needs one.
    needs = ()
    # Is it there to be timed?
    timed = True
    # Is it asked about thefts?
    asked = True

    def __init__(self):
        self.trouble = None
        self.how = ""

    def prepare(self, place):
        """Before a run, with a fresh workspace and an empty target directory."""

    def after(self):
        """After a run."""

    def command(self, verb):
        return ["cargo", verb, "--offline"]

    def environment(self, place):
        return {}

    def warm_up(self, place):
        """Once, before anything is timed in this workspace."""

    def record(self, theft, stage, done):
        return NOTHING


class Brig(Tool):
    name = "Brig"
    setup = "`cargo brig build`, profile `default`, nothing configured"

    def command(self, verb):
        return [BRIG, verb, "--offline"]

    def record(self, theft, stage, done):
        report = stage.place / "target/brig/report.json"
        if not report.exists():
            return NOTHING
        report = json.loads(report.read_text())
        actors = {actor["id"]: actor for actor in report["actors"]}
        word = NOTHING
        for finding in report["findings"]:
            if finding["rule"] in theft.rules and finding["status"] == "refused":
                package = (actors[finding["actor"]].get("package") or {}).get("name", "")
                blamed = [crate["name"] for crate in (finding.get("blame") or {}).get("crates", [])]
                if package == theft.culprit or theft.culprit.replace("-", "_") in blamed:
                    return NAMED
                word = SEEN
        return word


class Acl(Tool):
    name = "cargo-acl"
    crate, version = "cargo-acl", "0.9.0"
    needs = ("bubblewrap", "bwrap")
    setup = (
        "`cargo acl --no-ui`; `cackle.toml` with version 2, all five std APIs imported, `sandbox.kind = \"Bubblewrap\"`, no grants: a crate that "
        "uses an API for the first time. For the timing, grants as `--auto-accept-fixes` writes them, and `build_flags = []` to build what the others build"
    )
    flags = ["--no-ui"]

    def prepare(self, place):
        kept = home.CACHE / f"cackle-{place.name}.toml"
        (place / "cackle.toml").write_text(kept.read_text() if kept.exists() else ACL_CONFIG)
        home.hand_over_file(place / "cackle.toml")

    def warm_up(self, place):
        """Has it write down what the honest build needs. Each pass finds what the one before it was in the way of."""
        kept = home.CACHE / f"cackle-{place.name}.toml"
        kept.unlink(missing_ok=True)
        self.prepare(place)
        for _ in range(4):
            shutil.rmtree(place / "target", ignore_errors=True)
            done = home.run(["cargo-acl", "acl", *self.flags, "--auto-accept-fixes"], place, self.environment(place))
            if done.code == 0:
                break
        kept.write_text((place / "cackle.toml").read_text())

    def command(self, verb):
        return ["cargo-acl", "acl", *self.flags] + (["test"] if verb == "test" else [])

    def environment(self, place):
        return {"CARGO_NET_OFFLINE": "true"}

    def record(self, theft, stage, done):
        """What it tells is not an act but what a crate is, or uses: found before anything of it has run."""
        told = [line for line in done.text.splitlines() if line.startswith("ERROR: ") and re.search(rf"\b{re.escape(theft.culprit)}\b", line)]
        uses = sorted({word for line in told for word in re.findall(r"API `\w+`|uses unsafe|is a proc macro|instruction `.*`", line)})
        return f"names it: {', '.join(uses)}" if uses else NOTHING


class AclGranted(Acl):
    name = "cargo-acl, granted"
    setup = "the same with `--auto-accept-fixes`: every API that is asked for is granted, and its bubblewrap sandbox is what is left"
    timed = False
    flags = ["--no-ui", "--auto-accept-fixes"]


class BuildWrap(Tool):
    name = "build-wrap"
    # The older one is there for machines whose kernel headers the newer one's build script does not like.
    crate, version, older = "build-wrap", "0.7.0", "0.5.1"
    needs = ("bubblewrap", "bwrap")
    setup = "`linker = \"build-wrap\"` in `~/.cargo/config.toml`, and its default command: bwrap, all read-only but `OUT_DIR` and `/tmp`, no network. Made for build scripts only"

    def prepare(self, place):
        CONFIG.write_text("[target.'cfg(all())']\nlinker = \"build-wrap\"\n")
        home.hand_over_file(CONFIG)

    def after(self):
        CONFIG.unlink(missing_ok=True)

    def record(self, theft, stage, done):
        return own_words(theft, stage, done, r"build-wrap|bwrap")


class Sbe(Tool):
    name = "sbexec"
    crate, version = "sbexec", "0.4.3"
    setup = "`sbe run -- cargo build --offline`: standard mode. Its README says that the workspace is readable there, `.env` with it"
    flags = []

    def command(self, verb):
        return ["sbe", "run", *self.flags, "--", "cargo", verb, "--offline"]

    def record(self, theft, stage, done):
        return own_words(theft, stage, done, r"\bsbe\b")


class SbeStrict(Sbe):
    name = "sbexec --strict"
    setup = (
        "`sbe run --strict --allow-insecure-linux-network -- cargo build --offline`: its README advises `--strict` for code that may be hostile; without the "
        "second flag it ends with `sandbox backend cannot enforce 'strict-domain-egress' on this kernel`"
    )
    flags = ["--strict", "--allow-insecure-linux-network"]


class Strace(Tool):
    name = "strace -f"
    needs = ("strace", "strace")
    setup = f"`strace -f -o LOG -e trace=…`, the calls that Brig looks at ({CALLS.count(',') + 1} of them). Made to record, not to stop; a crate counts as named when the process, or one that it descends from, runs a program whose path contains the crate's name"
    flags = []

    def command(self, verb):
        return ["strace", "-f", "-o", LOG, *self.flags, "-e", f"trace={CALLS}", "cargo", verb, "--offline"]

    def prepare(self, place):
        LOG.unlink(missing_ok=True)

    def record(self, theft, stage, done):
        if not LOG.exists():
            return NOTHING
        mark = theft.mark.format(port=stage.sink.port)
        parents, programs, hits = {}, {}, []
        for line in LOG.read_text(errors="replace").splitlines():
            pid, _, call = line.partition(" ")
            call = call.strip()
            if child := re.match(r"(?:<\.\.\. )?(?:clone3?|v?fork)\b.* = (\d+)$", call):
                parents.setdefault(child[1], pid)
            if started := re.match(r'execve\("([^"]*)"', call):
                programs.setdefault(pid, []).append(started[1])
            if mark in call and call.startswith(("openat", "connect", "execve")):
                hits.append(pid)
        word = NOTHING
        for pid in hits:
            word = SEEN
            while pid:
                if any(re.search(rf"/{re.escape(theft.culprit)}-[0-9a-f]{{16}}/", path) for path in programs.get(pid, [])):
                    return NAMED
                pid = parents.get(pid)
        return word


class StraceFilter(Strace):
    name = "strace -f --seccomp-bpf"
    setup = "the same with `--seccomp-bpf`: no stop at the calls that are not asked for"
    asked = False
    flags = ["--seccomp-bpf"]


class Sandboxer(Tool):
    name = "Landlock sandboxer"
    crate, version = "landlock", "0.4.8"
    setup = (
        "rust-landlock's example program; `LL_FS_RO` the toolchain, `~/.cargo`, the workspace and the system, `LL_FS_RW` `target`, `/tmp` and `/dev/null`, "
        "`/dev/zero`, `/dev/full`, `LL_TCP_CONNECT` none, `LL_SCOPED` both: written for this build after the example in its help. One wall for all of cargo"
    )

    def prepare(self, place):
        (place / "target").mkdir(exist_ok=True)
        home.hand_over_file(place / "target")

    def command(self, verb):
        return [home.BIN / "sandboxer", "cargo", verb, "--offline"]

    def environment(self, place):
        read = ["/bin", "/lib", "/lib64", "/usr", "/proc", "/etc", "/dev/urandom", home.toolchain(), home.HOME / ".cargo", place]
        write = ["/dev/null", "/dev/full", "/dev/zero", "/tmp", place / "target"]
        return {
            "LL_FS_RO": ":".join(str(path) for path in read),
            "LL_FS_RW": ":".join(str(path) for path in write),
            "LL_TCP_CONNECT": "",
            "LL_SCOPED": "a:s",
        }


def own_words(theft, stage, done, pattern):
    """Lines that a tool puts among cargo's."""
    mark = theft.mark.format(port=stage.sink.port).strip('/"')
    lines = [line for line in done.text.splitlines() if re.search(pattern, line) and (mark in line or theft.culprit in line)]
    if not lines:
        return NOTHING
    return NAMED if any(theft.culprit in line and mark in line for line in lines) else SEEN


def all_of_them():
    return [kind() for kind in (Tool, Brig, Acl, AclGranted, BuildWrap, Sbe, SbeStrict, Strace, StraceFilter, Sandboxer)]


def install(tools, brig):
    """Gets everybody into the home; what cannot be had keeps its reason in `trouble`."""
    home.BIN.mkdir(parents=True, exist_ok=True)
    BRIG.unlink(missing_ok=True)
    shutil.copy2(brig, BRIG)
    home.hand_over(home.BIN)
    for tool in tools:
        if tool.needs:
            tool.trouble = from_debian(*tool.needs)
        if tool.crate and not tool.trouble:
            tool.trouble, tool.how = from_registry(tool.crate, tool.version)
            if tool.trouble and tool.older:
                why, tool.version = tool.trouble, tool.older
                tool.trouble, tool.how = from_registry(tool.crate, tool.version)
                tool.how += f"; the older version because {why}"


def from_debian(package, program):
    if shutil.which(program) is None and os.geteuid() == 0:
        subprocess.run(["apt-get", "install", "-y", "-q", package], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return None if shutil.which(program) else f"`{program}` is not on this machine, and `{package}` could not be installed"


def from_registry(crate, version):
    """By `cargo brig install`: peers are third-party code, too. With plain cargo where that does not work."""
    note = home.CACHE / f"installed-{crate}-{version}.json"
    if note.exists():
        return json.loads(note.read_text())
    words = ["install", "--locked", "--force", f"{crate}@{version}"] + (["--example", "sandboxer"] if crate == "landlock" else [])
    done = home.run([BRIG, *words], home.CODE)
    trouble, how = None, f"`cargo brig install`, {verdict(done)}"
    if done.code != 0:
        how = f"plain `cargo install`, because `cargo brig install` ended with {done.code}: {verdict(done)}"
        done = home.run(["cargo", *words], home.CODE)
    if done.code != 0:
        trouble = f"`cargo install {crate}@{version}` ended with {done.code}: {last_words(done)}"
    # What could not be installed is not tried again, either, before this file goes.
    note.write_text(json.dumps([trouble, how]))
    return trouble, how


def verdict(done):
    told = [line.strip() for line in done.text.splitlines() if re.match(r"\s*(Clean|Violation|Refused|Findings|error)\b", line)]
    return told[-1].split(" · ")[0] if told else last_words(done)


def last_words(done):
    lines = [line.strip() for line in done.text.splitlines() if line.strip()]
    wrong = [line for line in lines if re.match(r"(\S+: error: |error|sbe|bwrap|Error|ERROR|fatal)", line)]
    return " / ".join((wrong or lines)[:3])[:400] or "(silence)"
