#!/usr/bin/env bash
# cargo 1.95.0 with glibc 2.36 and GCC 12.2: each C compiler that a build script starts looks for its own libraries among Rust's first.
#
# Behaviour: for a build script cargo sets LD_LIBRARY_PATH (its own libraries, and where its results lie), and whatever that script starts inherits it. The
# dynamic loader of `gcc`, `cc1`, `as`, `collect2` and `ld` then tries each of the libraries they need (libisl, libmpc, libz, libc …) in those directories, and
# first in their `glibc-hwcaps` subdirectories, none of which holds one. So one empty file, compiled as the crate `cc` does it, is some 300
# opens that find nothing. A build script that takes the variable away before it calls `cc` has none of them.
#
# Seen: cargo 1.95.0 (f2d3ce0bd 2026-03-21), cc 1.2.67, gcc 12.2.0, glibc 2.36, Linux 6.18 x86_64: 312 files tried, 0 without the variable (what
# compilers GCC finds and of how many processes a call is made decides the number). A tracer of a build of C sees little else besides headers, and a build
# pays for it where each open is dear: in a sandbox, on a network file system.
#
# Needs cargo 1.95.0, gcc, glibc (LD_DEBUG, ld.so(8)); fetches the crate `cc`. Ends with 0 if all of that is still so.
set -euo pipefail

[ "$(cargo --version | cut -d ' ' -f 2)" = 1.95.0 ] || { echo "written for cargo 1.95.0, found $(cargo --version)" >&2; exit 2; }
ldd --version 2>&1 | head -1 | grep -qE 'GLIBC|GNU' || { echo "needs glibc" >&2; exit 2; }
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
export CARGO_HOME="$dir/home"
unset LD_LIBRARY_PATH CARGO_TARGET_DIR CC CFLAGS
mkdir -p "$dir/package/src"
cd "$dir/package"
cat > Cargo.toml <<'TOML'
[package]
name = "quiet"
version = "0.1.0"
edition = "2021"

[build-dependencies]
cc = "=1.2.67"
find-msvc-tools = "=0.1.9"
shlex = "=1.3.0"

[workspace]
TOML
: > src/lib.rs
: > empty.c
cat > build.rs <<'RUST'
fn main() {
    if std::env::var_os("WITHOUT").is_some() {
        std::env::remove_var("LD_LIBRARY_PATH");
    }
    std::env::set_var("LD_DEBUG", "libs");
    std::env::set_var("LD_DEBUG_OUTPUT", std::env::var("WORDS").unwrap());
    cc::Build::new().file("empty.c").compile("empty");
}
RUST
cargo fetch --quiet

# tries WORDS [WITHOUT=1]: how often compilers tried a file in a directory that cargo had named.
tries() {
  rm -rf target && mkdir -p "$dir/$1"
  env "${@:2}" WORDS="$dir/$1/ld" cargo build --quiet --offline
  for words in "$dir/$1"/ld.*; do
    # Only those of GCC and binutils.
    if grep -qE 'initialize program: .*(gcc|cc|cc1|as|collect2|ld)$' "$words"; then
      grep -oE "trying file=($dir|$(rustc --print sysroot)|$HOME/.rustup)/[^ ]*" "$words" || true
    fi
  done | wc -l
}

with=$(tries with A=1)
without=$(tries without WITHOUT=1)
echo "files tried where no library of theirs is: $with; without the variable: $without"
[ "$with" -ge 40 ] || { echo "changed: only $with" >&2; exit 1; }
[ "$without" = 0 ] || { echo "changed: $without without the variable" >&2; exit 1; }
