#!/usr/bin/env bash
# cargo 1.95.0 on Linux: `cargo fix` needs a network, even with `--offline`, with every package at hand and with nothing to fix.
#
# Behaviour: `cargo fix` runs itself as the compiler's wrapper, and the two talk over TCP on 127.0.0.1. In a network namespace whose loopback
# device is down, as `unshare --net` makes it, `cargo check --offline` of a package succeeds, and `cargo fix --offline` of the same package
# ends with 101 and "Network is unreachable (os error 101)". With nothing changed but `ip link set lo up`, it succeeds.
#
# Seen: cargo 1.95.0 (f2d3ce0bd 2026-03-21), Linux 6.18 x86_64, as root and as an ordinary user; itoa 1.0.15 as the dependency.
# For whoever builds without a network: a sandbox for `cargo fix` has to leave it a loopback device.
#
# Needs cargo 1.95.0, unshare (util-linux) with user namespaces, ip (iproute2). Ends with 0 if all of that is still so.
set -euo pipefail

[ "$(cargo --version | cut -d ' ' -f 2)" = 1.95.0 ] || { echo "written for cargo 1.95.0, found $(cargo --version)" >&2; exit 2; }
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
mkdir src
cat > Cargo.toml <<'TOML'
[package]
name = "quiet"
version = "0.1.0"
edition = "2021"

[dependencies]
itoa = "=1.0.15"

[workspace]
TOML
echo 'pub fn show(n: u32) -> String { itoa::Buffer::new().format(n).to_owned() }' > src/lib.rs
cargo fetch --quiet

without() { unshare --user --map-root-user --net "$@"; }
fix="cargo fix --offline --allow-no-vcs --lib --quiet"

without true || { echo "no user and network namespaces here" >&2; exit 2; }
without cargo check --offline --quiet || { echo "changed: cargo check fails without a network" >&2; exit 1; }

status=0
without $fix > said 2>&1 || status=$?
sed 's/^/fix, loopback down: /' said | head -n 4
[ "$status" = 101 ] || { echo "changed: cargo fix ended with $status, not with 101" >&2; exit 1; }
grep -q 'Network is unreachable (os error 101)' said || { echo "changed: cargo fix failed for another reason" >&2; exit 1; }

touch src/lib.rs
without sh -c "ip link set lo up && $fix" || { echo "changed: cargo fix fails with loopback, too" >&2; exit 1; }
echo "fix, loopback up: succeeds"
