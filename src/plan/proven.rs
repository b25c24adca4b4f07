//! Is a file of a package what cargo was given for it? In: where the file was found, the lock file. Out: what it was compared with; an error where it is another one.
//! For what is read once and pinned then: cargo itself compares archives when it unpacks them, and looks at what it has unpacked no more.

use std::collections::HashMap;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::attribute::source::read_bytes;
use crate::model::sha256;
use crate::plan::carried::Whence;
use crate::plan::exceptions::lock::Locked;
use crate::plan::reals::real;

/// No archive of a registry is longer, packed or not.
const LONGEST: u64 = 512 << 20;

/// What a directory of vendored sources has beside each package.
#[derive(Deserialize)]
struct Checksums {
    files: HashMap<String, String>,
    package: Option<String>,
}

/// How much is known of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    /// The archive whose checksum the lock file names holds this very file.
    Archive,
    /// The checksums beside vendored sources say so, which are the repository's own.
    Vendored,
    /// A checkout of the commit that the lock file names.
    Checkout,
    /// There is nothing to compare it with.
    Nothing,
}

impl Proof {
    pub fn text(self) -> &'static str {
        match self {
            Proof::Archive => "as in the archive that Cargo.lock names by its checksum",
            Proof::Vendored => "as the checksums beside the vendored package say",
            Proof::Checkout => "as it lies in cargo's checkout",
            Proof::Nothing => "compared with nothing: nothing here says what it has to be",
        }
    }
}

/// # Errors
/// With what is wrong: an archive that is not the lock file's, or a file that is not the archive's.
pub fn compare(text: &str, whence: &Whence, locked: &Locked, cargo_home: &Path) -> Result<Proof, String> {
    let is_it = |name: &str, version: &str| (name, version) == (&*whence.name, &*whence.version);
    let package = locked.which(is_it).into_iter().find(|package| package.source.as_deref() == Some(&whence.source));
    let sum = package.and_then(|package| package.checksum.as_deref());
    if let Some(found) = vendored(whence)? {
        if found.package.as_deref() != sum {
            return Err(format!("the checksum beside it in {} is not the one that Cargo.lock names", whence.dir.display()));
        }
        return match found.files.get(&whence.file) {
            Some(named) if *named == sha256::hex(text.as_bytes()) => Ok(Proof::Vendored),
            // Neither does cargo look at a file that is not named there.
            None => Ok(Proof::Nothing),
            Some(_) => Err(format!("it is not the file that the checksums in {} name", whence.dir.display())),
        };
    }
    if whence.source.starts_with("git+") {
        return Ok(Proof::Checkout);
    }
    let (Some(sum), Some(archive)) = (sum, archive(whence, cargo_home)) else { return Ok(Proof::Nothing) };
    let Some(packed) = read_bytes(&archive, LONGEST) else { return Ok(Proof::Nothing) };
    if sha256::hex(&packed) != sum {
        return Err(format!("{} is not the archive that Cargo.lock names by its checksum", archive.display()));
    }
    match entry(&packed, whence) {
        Some(original) if original == text.as_bytes() => Ok(Proof::Archive),
        _ => Err(format!("{} has been changed since cargo unpacked it: remove that directory, and build again", whence.dir.display())),
    }
}

fn vendored(whence: &Whence) -> Result<Option<Checksums>, String> {
    let path = whence.dir.join(".cargo-checksum.json");
    match File::open(&path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        _ => {}
    }
    let text = read_bytes(&path, LONGEST).ok_or_else(|| format!("{} cannot be read", path.display()))?;
    serde_json::from_slice(&text).map(Some).map_err(|_| format!("{} is not understood", path.display()))
}

/// `registry/cache/INDEX/NAME-VERSION.crate`, of what lies in `registry/src/INDEX/NAME-VERSION`.
fn archive(whence: &Whence, cargo_home: &Path) -> Option<PathBuf> {
    let dir = real(whence.dir.clone());
    let index = dir.strip_prefix(real(cargo_home.join("registry/src"))).ok()?.parent()?;
    Some(cargo_home.join("registry/cache").join(index).join(format!("{}-{}.crate", whence.name, whence.version)))
}

fn entry(packed: &[u8], whence: &Whence) -> Option<Vec<u8>> {
    let wanted = Path::new(&format!("{}-{}", whence.name, whence.version)).join(&whence.file);
    let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(packed).take(LONGEST));
    for entry in archive.entries().ok()? {
        let entry = entry.ok()?;
        if entry.header().entry_type().is_file() && entry.path().is_ok_and(|path| path == wanted) {
            let mut content = Vec::new();
            entry.take(LONGEST).read_to_end(&mut content).ok()?;
            return Some(content);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::exceptions::lock::Package;

    const SOURCE: &str = "registry+https://example.org/index";

    fn locked(sum: &str) -> Locked {
        let package = Package { name: "ours".into(), version: "1.0.0".into(), source: Some(SOURCE.into()), checksum: Some(sum.to_owned()) };
        Locked { packages: vec![package] }
    }

    fn whence(dir: PathBuf, source: &str) -> Whence {
        Whence { name: "ours".into(), version: "1.0.0".into(), source: source.into(), dir, file: "policy/brig.lock".into() }
    }

    fn packed(text: &str) -> Vec<u8> {
        let mut builder = tar::Builder::new(flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast()));
        for (name, text) in [("ours-1.0.0/Cargo.toml", "x"), ("ours-1.0.0/policy/brig.lock", text)] {
            let mut header = tar::Header::new_gnu();
            header.set_size(text.len() as u64);
            header.set_cksum();
            builder.append_data(&mut header, name, text.as_bytes()).unwrap();
        }
        builder.into_inner().unwrap().finish().unwrap()
    }

    #[test]
    fn the_archive_tells() {
        let home = tempfile::tempdir().unwrap();
        let dir = home.path().join("registry/src/index-1/ours-1.0.0");
        std::fs::create_dir_all(&dir).unwrap();
        let of = |text: &str, sum: &str| compare(text, &whence(dir.clone(), SOURCE), &locked(sum), home.path());
        assert_eq!(of("a", "00"), Ok(Proof::Nothing));
        std::fs::create_dir_all(home.path().join("registry/cache/index-1")).unwrap();
        let archive = packed("a");
        let sum = sha256::hex(&archive);
        std::fs::write(home.path().join("registry/cache/index-1/ours-1.0.0.crate"), &archive).unwrap();
        assert_eq!(of("a", &sum), Ok(Proof::Archive));
        assert!(of("b", &sum).unwrap_err().contains("has been changed since cargo unpacked it"));
        assert!(of("a", "00").unwrap_err().contains("is not the archive that Cargo.lock names"));
        // No registry of cargo's own: a checkout.
        assert_eq!(compare("b", &whence(dir, "git+https://example.org/x#00ff"), &locked(&sum), home.path()), Ok(Proof::Checkout));
    }

    #[test]
    fn vendored_checksums_tell() {
        let dir = tempfile::tempdir().unwrap();
        let of = |sum: &str| compare("a", &whence(dir.path().to_owned(), SOURCE), &locked(sum), Path::new("/h/.cargo"));
        let write = |text: String| std::fs::write(dir.path().join(".cargo-checksum.json"), text).unwrap();
        write(format!("{{\"files\":{{\"policy/brig.lock\":\"{}\"}},\"package\":\"aa\"}}", sha256::hex(b"a")));
        assert_eq!(of("aa"), Ok(Proof::Vendored));
        assert!(of("bb").unwrap_err().contains("is not the one that Cargo.lock names"));
        write("{\"files\":{},\"package\":\"aa\"}".into());
        assert_eq!(of("aa"), Ok(Proof::Nothing));
        write("{\"files\":{\"policy/brig.lock\":\"00\"},\"package\":\"aa\"}".into());
        assert!(of("aa").unwrap_err().contains("is not the file that the checksums"));
        write("{".into());
        assert!(of("aa").unwrap_err().contains("is not understood"));
    }
}
