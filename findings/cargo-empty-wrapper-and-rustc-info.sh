#!/usr/bin/env bash
# cargo 1.95.0 on Linux: an empty RUSTC_WRAPPER means no wrapper, and no memory of the compiler either.
#
# Behaviour: cargo keeps what the compiler said of itself (`rustc -vV`, what a target is like) in `target/.rustc_info.json`, and starts no
# compiler to be told again: a second `cargo metadata --filter-platform …` of a package that was built runs none at all. With RUSTC_WRAPPER or
# RUSTC_WORKSPACE_WRAPPER set and empty, which cargo otherwise takes for "no wrapper" (it is the way to override one that a configuration file
# names), the same call neither reads nor writes that file, and runs the compiler three times, each time.
#
# Seen: cargo 1.95.0 (f2d3ce0bd 2026-03-21), Linux 6.18 x86_64; 0 runs of the compiler without the variable, 3 with either of the two. With
# CARGO_LOG=cargo::util::rustc=debug cargo says why: it looks up the modification time of the wrapper, whose name is empty.
# For whoever turns wrappers off: unset the variables where no configuration file names a wrapper.
#
# Needs cargo 1.95.0 and its rustc. Ends with 0 if all of that is still so.
set -euo pipefail

[ "$(cargo --version | cut -d ' ' -f 2)" = 1.95.0 ] || { echo "written for cargo 1.95.0, found $(cargo --version)" >&2; exit 2; }
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
sysroot=$(rustc --print sysroot)
host=$(rustc -vV | sed -n 's/^host: //p')
unset RUSTC_WRAPPER RUSTC_WORKSPACE_WRAPPER CARGO_BUILD_RUSTC_WRAPPER CARGO_BUILD_RUSTC_WORKSPACE_WRAPPER CARGO_CACHE_RUSTC_INFO CARGO_TARGET_DIR
mkdir -p "$dir/home" "$dir/package/src"
export CARGO_HOME="$dir/home" RUSTC="$dir/rustc"
cat > "$RUSTC" <<SH
#!/bin/sh
echo run >> "$dir/runs"
exec "$sysroot/bin/rustc" "\$@"
SH
chmod +x "$RUSTC"
cd "$dir/package"
printf '[package]\nname = "quiet"\nversion = "0.1.0"\nedition = "2021"\n\n[workspace]\n' > Cargo.toml
: > src/lib.rs

# How often the compiler is run for one question, asked twice.
runs() {
  "$@" "$sysroot/bin/cargo" metadata --offline --format-version 1 --filter-platform "$host" > answer
  : > "$dir/runs"
  "$@" "$sysroot/bin/cargo" metadata --offline --format-version 1 --filter-platform "$host" > again
  cmp answer again >&2
  grep -c . "$dir/runs" || true
}

"$sysroot/bin/cargo" build --offline --quiet
without=$(runs env)
echo "no variable: $without"
[ "$without" = 0 ] || { echo "changed: cargo asks the compiler although it knows" >&2; exit 1; }
for variable in RUSTC_WRAPPER RUSTC_WORKSPACE_WRAPPER; do
  with=$(runs env "$variable=")
  echo "$variable empty: $with"
  [ "$with" = 3 ] || { echo "changed: $with runs with an empty $variable, not 3" >&2; exit 1; }
done
echo "CARGO_CACHE_RUSTC_INFO=0: $(runs env CARGO_CACHE_RUSTC_INFO=0)"
