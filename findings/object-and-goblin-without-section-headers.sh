#!/usr/bin/env bash
# object 0.40.0 and goblin 0.10.4, given a shared library without section headers: one finds none of its symbols, the other all of them.
#
# Behaviour: section headers are optional in a shared object (System V gABI, chapter 4); the dynamic loader goes by PT_DYNAMIC alone, loads such a library
# and finds its functions. object's `File::dynamic_symbols()` goes by the section `.dynsym`: of the same library it returns nothing, and no error, so "exports
# nothing" and "was not looked at" are one answer; `File::dynamic_symbol_table()` is None. goblin's `Elf::dynsyms` goes by PT_DYNAMIC and has the function.
#
# Seen: object 0.40.0, goblin 0.10.4, rustc 1.95.0, glibc 2.36, Linux 6.18 x86_64; a library of one function, compiled by gcc 12, its header's three fields
# about sections set to zero (as `strip --strip-section-headers` of binutils 2.41 leaves it).
# For whoever names functions or lists exports with object: libraries written without sections (packers, linkers' options, in-memory images) look empty.
#
# Needs gcc, python3 and the registry. Ends with 0 if all of that is still so.
set -euo pipefail

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
mkdir src
cat > Cargo.toml <<'TOML'
[package]
name = "compare"
version = "0.1.0"
edition = "2021"

[dependencies]
object = { version = "=0.40.0", default-features = false, features = ["read", "std"] }
goblin = "=0.10.4"

[workspace]
TOML
cat > src/main.rs <<'RS'
use object::{Object, ObjectSymbol};

fn main() {
    for path in std::env::args().skip(1) {
        let bytes = std::fs::read(&path).unwrap();
        let file = object::File::parse(&*bytes).unwrap();
        let by_object = file.dynamic_symbols().filter(|one| one.is_definition() && one.name() == Ok("answer")).count();
        let table = file.dynamic_symbol_table().is_some();
        let elf = goblin::elf::Elf::parse(&bytes).unwrap();
        let by_goblin = elf.dynsyms.iter().filter(|one| !one.is_import() && elf.dynstrtab.get_at(one.st_name) == Some("answer")).count();
        println!("{path}: object finds {by_object} (a table: {table}), goblin finds {by_goblin}");
    }
}
RS
cargo build --quiet

echo 'int answer(void) { return 42; }' > answer.c
gcc -shared -fPIC -o whole.so answer.c
python3 - <<'P'
import ctypes
import struct

image = bytearray(open("whole.so", "rb").read())
# e_shoff; e_shnum and e_shstrndx (Elf64_Ehdr).
image[0x28:0x30] = bytes(8)
image[0x3c:0x40] = bytes(4)
open("without.so", "wb").write(image)
print("the loader finds", ctypes.CDLL("./without.so").answer())
P
target/debug/compare whole.so without.so | tee said
grep -qx 'whole.so: object finds 1 (a table: true), goblin finds 1' said || { echo "changed: with section headers" >&2; exit 1; }
grep -qx 'without.so: object finds 0 (a table: false), goblin finds 1' said || { echo "changed: without section headers" >&2; exit 1; }
