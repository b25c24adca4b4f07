"""A throw-away home below `target/peers`: a toolchain, a cargo home, secrets that are canaries, workspaces; and whoever lives there, which
is an ordinary user when root asks. In: what to run. Out: what came of it, with processor and wall time."""

import ctypes
import os
import pwd
import resource
import shutil
import signal
import subprocess
import time
import uuid
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent.parent
CACHE = TOP / "target/peers"
HOME = CACHE / "home"
CODE = HOME / "code"
BIN = HOME / ".cargo/bin"
# The user that the behaviour tests make, too.
ORDINARY = "brig-tests"
# No build here takes as long, on however busy a machine: whoever does has hung.
PATIENCE = 1200


class Done:
    """What came of a command."""

    def __init__(self, code, text, wall, cpu):
        self.code, self.text, self.wall, self.cpu = code, text, wall, cpu


def resident():
    """The user everything runs as: None means whoever started this."""
    if os.geteuid() != 0:
        return None
    try:
        return pwd.getpwnam(ORDINARY)
    except KeyError:
        subprocess.run(["useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", ORDINARY], check=True)
        return pwd.getpwnam(ORDINARY)


def toolchain():
    return HOME / ".rustup/toolchains" / sysroot().name


def sysroot():
    return Path(subprocess.check_output(["rustc", "--print", "sysroot"], text=True, cwd=TOP).strip()).resolve()


def open_home():
    """Makes the home. The toolchain is a copy at the place where people have theirs: some peers grant that place and no other."""
    adopt()
    for sub in [".cargo", ".ssh", ".aws", "code"]:
        (HOME / sub).mkdir(parents=True, exist_ok=True)
    for sub in ["bin", "lib", "libexec"]:
        have = toolchain() / sub
        if not have.is_dir():
            shutil.copytree(sysroot() / sub, have.with_suffix(".part"), symlinks=True, dirs_exist_ok=True)
            have.with_suffix(".part").rename(have)
    hand_over(CACHE)
    probe = run([str(toolchain() / "bin/cargo"), "--version"], HOME)
    if probe.code != 0:
        raise SystemExit(f"the user `{ORDINARY}` cannot run the toolchain in {HOME}: {probe.text}\n`scripts/check` opens the way there")


def hand_over(path):
    who = resident()
    if who is None:
        return
    for top, dirs, files in os.walk(path):
        for name in [top, *(os.path.join(top, name) for name in dirs + files)]:
            if os.lstat(name).st_uid != who.pw_uid:
                os.lchown(name, who.pw_uid, who.pw_gid)


def environment(extra=None):
    """What somebody has who uses cargo, and nothing of the machine's own."""
    system = "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"
    env = {
        "PATH": f"{BIN}:{toolchain()}/bin:{system}",
        "HOME": str(HOME),
        "USER": ORDINARY if resident() else pwd.getpwuid(os.geteuid()).pw_name,
        "LANG": "C.UTF-8",
        "CARGO_TERM_COLOR": "never",
        # What `cargo brig` finds when rustup's shim has started it; everybody gets the same.
        "CARGO": str(toolchain() / "bin/cargo"),
        "RUSTUP_TOOLCHAIN": toolchain().name,
    }
    # The way to the registry, where a machine has one of its own.
    env |= {name: value for name, value in os.environ.items() if name.startswith(("CARGO_HTTP_", "CARGO_REGISTRIES_")) or name.endswith("_proxy")}
    return env | (extra or {})


def run(command, cwd, extra=None, patience=PATIENCE):
    """Runs it as the resident, and everything it leaves behind is ended when it has taken too long."""
    who = resident()
    user = {} if who is None else {"user": who.pw_uid, "group": who.pw_gid, "extra_groups": []}
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    begin = time.monotonic()
    child = subprocess.Popen([str(word) for word in command], cwd=cwd, env=environment(extra), stdin=subprocess.DEVNULL,
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True, **user)
    try:
        text = child.communicate(timeout=patience)[0]
    except subprocess.TimeoutExpired:
        os.killpg(child.pid, signal.SIGKILL)
        text = child.communicate()[0] + f"\n(did not end within {patience} s)\n".encode()
    wall = time.monotonic() - begin
    reap()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Done(child.returncode, text.decode(errors="replace"), wall, cpu)


def adopt():
    """Whoever loses its parent becomes our child: cargo-acl does not wait for its cargo, whose time would be nobody's."""
    PR_SET_CHILD_SUBREAPER = 36
    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise SystemExit("prctl(PR_SET_CHILD_SUBREAPER) failed")


def reap():
    """Counts those who were left behind and have ended; a moment's patience for those about to."""
    until = time.monotonic() + 1
    while time.monotonic() < until:
        try:
            if os.waitpid(-1, os.WNOHANG)[0] == 0:
                time.sleep(0.02)
        except ChildProcessError:
            return


def secrets():
    """Plants fresh canaries, and answers the word they all begin with."""
    canary = f"CANARY-{uuid.uuid4().hex}"
    for path in [".ssh/id_ed25519", ".ssh/authorized_keys", ".aws/credentials"]:
        (HOME / path).write_text(f"{canary}-{Path(path).name}\n")
        hand_over_file(HOME / path)
    return canary


def hand_over_file(path):
    who = resident()
    if who is not None:
        os.lchown(path, who.pw_uid, who.pw_gid)


def workspace(name, files):
    """A fresh workspace of these files."""
    place = CODE / name
    shutil.rmtree(place, ignore_errors=True)
    for path, text in files.items():
        path = place / path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    hand_over(place)
    return place
