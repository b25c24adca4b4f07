"""Where corpora of honest crates are built, and as whom: a home and a cargo home of their own, cargo-brig on PATH, an ordinary user, no
network but a loopback. Shared by scripts/compat and scripts/suites."""

import contextlib
import ctypes
import fcntl
import os
import pwd
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import time
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent
USER = "brig-tests"
# No honest build takes that long, even on a busy machine.
LONGEST = 5400


class Place:
    """Where everything happens, and as whom."""

    def __init__(self, top, brig):
        self.top, self.user = top, None
        for part in ["home", "cargo", "work"]:
            (top / part).mkdir(parents=True, exist_ok=True)
        # Cargo finds `cargo-brig` on PATH, as for everybody.
        self.bin = Path(tempfile.mkdtemp(prefix="bin-", dir=top))
        self.bin.chmod(0o755)
        shutil.copy(brig, self.bin / "cargo-brig")
        keep = {name: value for name, value in os.environ.items() if name in ("PATH", "RUSTUP_HOME", "RUSTUP_TOOLCHAIN", "RUSTUP_AUTO_INSTALL")}
        self.env = dict(keep, HOME=str(top / "home"), CARGO_HOME=str(top / "cargo"), LANG="C.UTF-8", CARGO_TERM_COLOR="never")
        self.env["CARGO_BUILD_JOBS"] = str(os.cpu_count())
        self.env.setdefault("RUSTUP_HOME", os.path.expanduser("~/.rustup"))
        path = os.environ["PATH"]
        if os.geteuid() == 0:
            self.user = ordinary()
            for tool in [shutil.which("cargo"), sysroot() / "bin/cargo", top]:
                open_way(Path(tool))
            for directory in [top, *(top / part for part in ["home", "cargo", "work"])]:
                os.chown(directory, self.user.pw_uid, self.user.pw_gid)
            # Of root's own programs an ordinary user has only the toolchain, by shims of their own in CARGO_HOME.
            shims = Path(shutil.which("cargo")).parent
            (top / "cargo/bin").mkdir(exist_ok=True)
            for name in ["rustup", "cargo", "rustc", "rustdoc", "rustfmt"]:
                if (shims / name).exists() and not (top / "cargo/bin" / name).exists():
                    shutil.copy(shims / name, top / "cargo/bin" / name)
            path = f"{top / 'cargo/bin'}:/usr/local/bin:/usr/bin:/bin"
        self.env["PATH"] = f"{self.bin}:{path}"

    def become(self, network):
        """In the child, before it executes: no network but a loopback of its own, then nobody in particular."""
        if self.user is None:
            return
        if not network:
            if ctypes.CDLL(None, use_errno=True).unshare(0x40000000) != 0:  # CLONE_NEWNET
                raise OSError(ctypes.get_errno(), "unshare")
            with socket.socket() as any_socket:
                up = struct.pack("16sh", b"lo", 1)  # IFF_UP
                fcntl.ioctl(any_socket, 0x8914, up.ljust(40, b"\0"))  # SIOCSIFFLAGS
        os.setgroups([])
        os.setgid(self.user.pw_gid)
        os.setuid(self.user.pw_uid)
        os.umask(0o022)

    def run(self, command, cwd, network=False, longest=LONGEST):
        begin = time.monotonic()
        # Files, not pipes: whoever is left behind holds no end that is waited for.
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            child = subprocess.Popen(
                command, cwd=cwd, env=self.env, stdin=subprocess.DEVNULL, stdout=out, stderr=err,
                start_new_session=True, preexec_fn=lambda: self.become(network),
            )
            late = ""
            try:
                child.wait(timeout=longest)
            except subprocess.TimeoutExpired:
                late = f"\nerror: ended after {longest} s"
            # Its group ends with it.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)
            child.wait()
            stdout, stderr = ((file.seek(0), file.read().decode(errors="replace"))[1] for file in (out, err))
            stderr += late
        return child.returncode, stdout, stderr, time.monotonic() - begin

    def must(self, command, cwd, network=False):
        code, stdout, stderr, _ = self.run(command, cwd, network)
        if code != 0:
            raise RuntimeError(f"{' '.join(map(str, command))}: exit {code}\n{stderr[-3000:]}")
        return stdout


def sysroot():
    return Path(subprocess.check_output(["rustc", "--print", "sysroot"], text=True).strip())


def ordinary():
    try:
        return pwd.getpwnam(USER)
    except KeyError:
        subprocess.run(["useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", USER], check=True)
        return pwd.getpwnam(USER)


def open_way(path):
    """Lets everybody pass through (not list) the directories above a path, as scripts/check does."""
    for directory in path.parents:
        if not directory.stat().st_mode & 0o001:
            directory.chmod(directory.stat().st_mode | 0o111)


def installed(packages):
    """Sees to it that the system has these packages. What cannot be had is returned."""
    def there(package):
        said = subprocess.run(["dpkg-query", "-W", "-f", "${Status}", package], capture_output=True, text=True)
        return said.stdout == "install ok installed"

    missing = [package for package in packages if not there(package)]
    if missing and os.geteuid() == 0:
        env = dict(os.environ, DEBIAN_FRONTEND="noninteractive")
        apt = ["apt-get", "-qq", "-y", "-o", "DPkg::Lock::Timeout=600"]
        subprocess.run([*apt, "update"], env=env, capture_output=True)
        subprocess.run([*apt, "install", "--no-install-recommends", *missing], env=env, capture_output=True)
    return [package for package in missing if not there(package)]


def program():
    """What is tried: `BRIG`, or this tree's release build."""
    if "BRIG" in os.environ:
        return Path(os.environ["BRIG"]).resolve()
    subprocess.run(["cargo", "build", "--release", "--locked", "--quiet"], cwd=TOP, check=True)
    return TOP / "target/release/cargo-brig"
