"""On one ground (a booted kernel, a container): what doctor says of it, as root and as the ordinary user u1, and what then becomes of builds by u1: the
demo; the honest half of `workspace` plain, under Brig, and under Brig without a private network; its thieves plain (each must do its harm) and under
Brig. In: /job with cargo-brig and workspace. Out: what happens, told on stdout; last a line `ROW` with a JSON object, whose `faults` say where it did not
go as doctor said or as it must."""

import json
import os
import re
import socket
import subprocess
import sys
import threading
import time

HOME = "/home/u1"
THEFTS = 8
heard = []


def command(*words):
    subprocess.run(words, check=True)


def listen():
    """Where thieves knock, outside."""
    doors = []
    for family, kind, address in (
        (socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", 4444)),
        (socket.AF_INET, socket.SOCK_DGRAM, ("127.0.0.1", 4445)),
        (socket.AF_UNIX, socket.SOCK_STREAM, "/tmp/out.stream"),
        (socket.AF_UNIX, socket.SOCK_DGRAM, "/tmp/out.datagram"),
        (socket.AF_UNIX, socket.SOCK_STREAM, "\0ground-out"),
    ):
        door = socket.socket(family, kind)
        door.bind(address)
        if isinstance(address, str) and address[0] == "/":
            os.chmod(address, 0o777)
        if kind == socket.SOCK_STREAM:
            door.listen(16)
        doors.append((door, kind, repr(address)))

    def hear(door, kind, name):
        while True:
            if kind == socket.SOCK_STREAM:
                client = door.accept()[0]
                client.settimeout(10)
                try:
                    said = client.recv(64)
                except OSError:
                    said = b""
                client.close()
            else:
                said = door.recv(64)
            if said:
                heard.append(name)

    for door in doors:
        threading.Thread(target=hear, args=door, daemon=True).start()


def run(title, words, user=True, show=40, **variables):
    """Exit code, output, seconds of processor and by the clock."""
    environment = {"PATH": os.environ["PATH"], "HOME": HOME if user else "/root", "TMPDIR": "/tmp", "LANG": "C.UTF-8", "TERM": "dumb", "CARGO_NET_OFFLINE": "true"}
    if user:
        words = ["setpriv", "--reuid", "u1", "--regid", "u1", "--init-groups", *words]
    began, before = time.monotonic(), os.times()
    with open("/tmp/said", "wb") as said:
        child = subprocess.Popen(words, cwd=f"{HOME}/workspace", env={**environment, **variables}, stdin=subprocess.DEVNULL, stdout=said, stderr=subprocess.STDOUT)
        code = child.wait()
    clock, after = time.monotonic() - began, os.times()
    used = after.children_user + after.children_system - before.children_user - before.children_system
    text = open("/tmp/said", errors="replace").read()
    print(f"=== {title}: {code} after {clock:.1f} s, {used:.1f} s of processor", flush=True)
    print("\n".join(text.splitlines()[-show:]), flush=True)
    return code, text, used, clock


def doctor(user):
    code, text, _, _ = run(f"doctor as {'u1' if user else 'root'}", ["cargo", "brig", "doctor"], user)
    abi = re.search(r"Landlock ABI (\d+)", text)
    said = [line.split(None, 1)[1] for line in text.splitlines() if line.strip().startswith(("weaker ", "missing "))]
    return code, int(abi[1]) if abi else 0, said


def build(title, action="build", brig=True, **variables):
    """Builds the workspace, where only the build script is to run again, or tests it; with what its report says."""
    stolen, report = f"{HOME}/workspace/src/stolen.rs", f"{HOME}/report"
    command("rm", "-rf", stolen, report)
    words = ["cargo", *(["brig", "--report-dir", report] if brig else []), action, "--offline", "--workspace", "--target-dir", f"{HOME}/target"]
    # Another value each time: the build script depends on it.
    code, text, used, clock = run(title, words, GROUND_RUN=title, **variables)
    told = json.load(open(f"{report}/report.json")) if os.path.exists(f"{report}/report.json") else {}
    worked = re.findall(r"(theft|honest) ([a-z]+): worked", text)
    return {
        "code": code,
        "used": used,
        "clock": clock,
        "passed": sum(int(count) for count in re.findall(r"test result: \w+\. (\d+) passed", text)),
        "failed": re.findall(r"^test (\S+) \.\.\. FAILED", text, re.M),
        "honest": sum(sort == "honest" for sort, _ in worked),
        "thefts": [name for sort, name in worked if sort == "theft"],
        "sockets": told.get("enforcement", {}).get("sockets", ""),
        "weaker": [one["what"] for one in told.get("enforcement", {}).get("degraded", [])],
        "refused": told.get("outcome", {}).get("counts", {}).get("refused", 0),
        "stolen": os.path.exists(stolen),
    }


def whole(title, **how):
    """Builds honest code, then tests it: what came of both."""
    built, tested = build(title, HONEST="1", **how), build(title, "test", HONEST="1", **how)
    return {**tested, "code": built["code"] or tested["code"], "honest": built["honest"], "clock": built["clock"] + tested["clock"]}


def main():
    command("install", "-D", "-m", "755", "/job/cargo-brig", "/usr/local/bin/cargo-brig")
    os.makedirs(f"{HOME}/.ssh", exist_ok=True)
    command("cp", "-r", "/job/workspace", HOME)
    open(f"{HOME}/.ssh/id_ed25519", "w").write("canary\n")
    command("chown", "-R", "u1:u1", HOME)
    kernel = os.uname()
    print(f"=== {kernel.release} on {kernel.machine}, {open('/proc/uptime').read().split()[0]} s after it began", flush=True)
    listen()
    faults = []
    must = lambda fine, what: fine or faults.append(what)
    as_root, abi, _ = doctor(False)
    as_user, abi, said = doctor(True)

    cold = whole("honest plain, first", brig=False)
    plain = whole("honest plain", brig=False)
    must(cold["code"] == plain["code"] == 0 and plain["honest"] == 4, f"honest code fails without Brig: {plain['failed']}")
    harm = build("thieves plain", brig=False)
    time.sleep(0.5)
    must(len(harm["thefts"]) == THEFTS and len(heard) == 5 and harm["stolen"], f"without Brig {len(harm['thefts'])} thefts work and {len(heard)} doors hear of it")
    heard.clear()

    honest = whole("honest")
    apart = whole("honest without a private network", BRIG_TEST_SOCKETS="loopback-device")
    thieves = build("thieves")
    exposed = build("thieves without a private network", BRIG_TEST_SOCKETS="loopback-device")
    demo, text, _, _ = run("demo", ["cargo", "brig", "demo"], show=200)
    stopped = sum(len(names.split(", ")) for names in re.findall(r"^ +stopped +(.+?) \(", text, re.M))
    missed = text.count(" MISSED ")
    time.sleep(0.5)

    must(as_root in (0, 104) and as_user in (0, 104), f"doctor ends with {as_root} and {as_user}")
    runs = {"honest": honest, "honest without a private network": apart, "thieves": thieves, "thieves without a private network": exposed}
    if as_user == 0:
        for name in ("honest", "honest without a private network"):
            one = runs[name]
            must(one["code"] == 0 and one["passed"] == plain["passed"] and one["honest"] == 4, f"{name}: code {one['code']}, failed {one['failed']}")
        for name in ("thieves", "thieves without a private network"):
            one = runs[name]
            must(one["code"] == 100 and not one["thefts"] and not one["stolen"] and one["refused"] >= THEFTS - 1, f"{name}: code {one['code']}, {one['refused']} refused, {one['thefts']} work")
            must(one["honest"] == 4, f"{name}: {one['honest']} of 4 honest acts work")
        must(demo == 0 and missed == 0, f"demo: code {demo}, {missed} missed")
        must(sorted(honest["weaker"]) == sorted(said), f"doctor says weaker: {said}; the report: {honest['weaker']}")
    else:
        for name, one in runs.items():
            must(one["code"] == 104, f"{name}: code {one['code']} where doctor said 104")
        must(demo == 104, f"demo: code {demo} where doctor said 104")
    must(not heard, f"doors heard of thefts: {heard}")
    row = {
        "kernel": kernel.release,
        "machine": kernel.machine,
        "abi": abi,
        "root": as_root,
        "user": as_user,
        "demo": f"{stopped} of {stopped + missed}" if demo in (0, 100, 1) else f"code {demo}",
        "honest": f"{honest['passed']} of {plain['passed']}",
        "apart": f"{apart['passed']} of {plain['passed']}",
        "thieves": f"{THEFTS - len(thieves['thefts'])} of {THEFTS}",
        "exposed": f"{THEFTS - len(exposed['thefts'])} of {THEFTS}",
        "sockets": honest["sockets"],
        "weaker": honest["weaker"] or said,
        "clock": [round(one["clock"]) for one in (plain, honest)],
        "faults": faults,
    }
    trouble = subprocess.run(["dmesg"], capture_output=True, text=True).stdout
    trouble = [line for line in trouble.splitlines() if re.search(r"BUG:|Oops|WARNING:|segfault", line)]
    print("\n".join(trouble[:10]))
    print("ROW " + json.dumps(row), flush=True)


sys.exit(main())
