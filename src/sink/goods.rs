//! What downloads get: programs that end at once with success, alone and packed. In: what is asked for. Out: bytes.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;

/// A script that does nothing. Run as a program it is one, too.
pub const SCRIPT: &[u8] = b"#!/bin/sh\nexit 0\n";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Machine {
    X86_64,
    Aarch64,
}

impl Machine {
    /// This one.
    pub const HERE: Machine = if cfg!(target_arch = "aarch64") { Machine::Aarch64 } else { Machine::X86_64 };
}

/// A static program of one segment: `exit(0)`. Layout by elf(5): header (64 bytes), one program header (56), code.
pub fn program(machine: Machine) -> Vec<u8> {
    const BASE: u64 = 0x40_0000;
    const HEADERS: u64 = 64 + 56;
    let (number, code): (u16, &[u8]) = match machine {
        // xor edi, edi; mov eax, 60 (exit); syscall
        Machine::X86_64 => (62, &[0x31, 0xff, 0xb8, 0x3c, 0, 0, 0, 0x0f, 0x05]),
        // mov x0, #0; mov x8, #93 (exit); svc #0
        Machine::Aarch64 => (183, &[0, 0, 0x80, 0xd2, 0xa8, 0x0b, 0x80, 0xd2, 0x01, 0, 0, 0xd4]),
    };
    let size = HEADERS + code.len() as u64;
    let mut out = b"\x7fELF\x02\x01\x01".to_vec();
    out.resize(16, 0);
    let half = |out: &mut Vec<u8>, value: u16| out.extend(value.to_le_bytes());
    let word = |out: &mut Vec<u8>, value: u32| out.extend(value.to_le_bytes());
    let long = |out: &mut Vec<u8>, value: u64| out.extend(value.to_le_bytes());
    // ET_EXEC, machine, version, entry, where the program headers are, no sections, no flags.
    half(&mut out, 2);
    half(&mut out, number);
    word(&mut out, 1);
    long(&mut out, BASE + HEADERS);
    long(&mut out, 64);
    long(&mut out, 0);
    word(&mut out, 0);
    // Sizes and counts of the headers.
    [64, 56, 1, 64, 0, 0].into_iter().for_each(|value| half(&mut out, value));
    // PT_LOAD, read and execute, offset, both addresses, both sizes, alignment.
    word(&mut out, 1);
    word(&mut out, 5);
    [0, BASE, BASE, size, size, 0x1_0000].into_iter().for_each(|value| long(&mut out, value));
    out.extend(code);
    out
}

/// A tar archive (ustar, POSIX.1-1988) with one file of mode 755.
pub fn tar(name: &str, content: &[u8]) -> Vec<u8> {
    let mut header = [0u8; 512];
    let mut put = |at: usize, text: &str| header[at..at + text.len()].copy_from_slice(text.as_bytes());
    put(0, &name[..name.len().min(99)]);
    put(100, "0000755\0");
    put(108, "0000000\0");
    put(116, "0000000\0");
    put(124, &format!("{:011o}\0", content.len()));
    put(136, &format!("{:011o}\0", 0));
    put(148, "        ");
    put(156, "0");
    put(257, "ustar\x0000");
    let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    let mut out = [&header[..], content].concat();
    // Whole blocks, and two empty ones at the end.
    out.resize(out.len().next_multiple_of(512) + 1024, 0);
    out
}

pub fn gzip(content: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    // Into memory: it cannot fail.
    let _ = encoder.write_all(content);
    encoder.finish().unwrap_or_default()
}

/// A zip archive (APPNOTE.TXT) with one stored file of mode 755.
pub fn zip(name: &str, content: &[u8]) -> Vec<u8> {
    let name = &name.as_bytes()[..name.len().min(99)];
    let mut crc = flate2::Crc::new();
    crc.update(content);
    let size = (content.len() as u32).to_le_bytes();
    // Version, flags, stored, time, day (1980-01-01), checksum, sizes, length of the name, no extra field.
    let common =
        [&[20, 0, 0, 0, 0, 0, 0, 0, 0x21, 0][..], &crc.sum().to_le_bytes(), &size, &size, &(name.len() as u16).to_le_bytes(), &[0, 0]]
            .concat();
    let mut out = [b"PK\x03\x04", &common[..], name, content].concat();
    let directory = out.len() as u32;
    // Made by Unix; no comment, one disk, no internal attributes, mode 100755, at the beginning.
    out.extend([b"PK\x01\x02\x14\x03", &common[..], &[0; 6], &(0o100_755u32 << 16).to_le_bytes(), &[0; 4], name].concat());
    let length = out.len() as u32 - directory;
    out.extend([b"PK\x05\x06\0\0\0\0\x01\0\x01\0", &length.to_le_bytes()[..], &directory.to_le_bytes(), &[0, 0]].concat());
    out
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;
    use std::path::Path;
    use std::process::Command;

    use super::*;

    fn runs(path: &Path) {
        // Another test's fork may hold the file that was just written (ETXTBSY).
        let status = loop {
            match Command::new(path).status() {
                Err(error) if error.kind() == std::io::ErrorKind::ExecutableFileBusy => {}
                other => break other.unwrap(),
            }
        };
        assert!(status.success(), "{path:?}");
    }

    #[test]
    fn the_programs_run_and_do_nothing() {
        let dir = tempfile::tempdir().unwrap();
        for (name, content) in [("program", program(Machine::HERE)), ("script", SCRIPT.to_vec())] {
            let path = dir.path().join(name);
            fs::write(&path, content).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
            runs(&path);
        }
    }

    #[test]
    fn the_other_machines_program_is_one() {
        use object::read::elf::{FileHeader, ProgramHeader};
        let bytes = program(Machine::Aarch64);
        let header = object::elf::FileHeader64::<object::Endianness>::parse(&*bytes).unwrap();
        let endian = header.endian().unwrap();
        assert_eq!(header.e_machine(endian), object::elf::EM_AARCH64);
        let [segment] = header.program_headers(endian, &*bytes).unwrap() else { panic!("one segment") };
        assert_eq!(segment.p_filesz(endian) as usize, bytes.len());
        assert!(header.e_entry(endian) - segment.p_vaddr(endian) < bytes.len() as u64);
        // The last instruction is `svc #0`, and each has four bytes.
        assert_eq!((&bytes[bytes.len() - 4..], bytes.len() % 4), (&[1, 0, 0, 0xd4][..], 0));
    }

    #[test]
    fn archives_unpack() {
        let dir = tempfile::tempdir().unwrap();
        let content = program(Machine::HERE);
        fs::write(dir.path().join("a.tar.gz"), gzip(&tar("agent", &content))).unwrap();
        let status = Command::new("tar").args(["-xzf", "a.tar.gz"]).current_dir(dir.path()).status().unwrap();
        assert!(status.success());
        assert_eq!(fs::read(dir.path().join("agent")).unwrap(), content);
        runs(&dir.path().join("agent"));
        let zip = zip("agent", &content);
        assert_eq!(&zip[30 + 5..30 + 5 + content.len()], content);
        let end = zip.len() - 22;
        let word = |at: usize| u32::from_le_bytes(zip[at..at + 4].try_into().unwrap()) as usize;
        assert_eq!(&zip[word(end + 16)..word(end + 16) + 4], b"PK\x01\x02");
        assert_eq!(word(end + 16) + word(end + 12), end);
        // Where there is somebody to ask.
        fs::write(dir.path().join("a.zip"), &zip).unwrap();
        let python = "import zipfile; z = zipfile.ZipFile('a.zip'); assert z.testzip() is None; print(z.namelist()[0])";
        if let Ok(output) = Command::new("python3").args(["-c", python]).current_dir(dir.path()).output() {
            assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), "agent", "{output:?}");
        }
    }
}
