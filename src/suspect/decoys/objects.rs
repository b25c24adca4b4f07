//! Objects of a git repository as git stores them. In: blobs, trees and commits. Out: their identifiers, and files below `.git/objects`.

use std::collections::BTreeMap;

use sha1_smol::Sha1;

/// Files by path; each is a blob.
pub type Files = BTreeMap<String, Blob>;

#[derive(Clone)]
pub struct Blob {
    pub id: [u8; 20],
    pub size: u32,
}

/// What is to be written below `.git/objects`: path, content.
#[derive(Default)]
pub struct Objects {
    pub loose: BTreeMap<String, Vec<u8>>,
}

impl Objects {
    pub fn blob(&mut self, content: &[u8]) -> Blob {
        Blob { id: self.store("blob", content), size: content.len() as u32 }
    }

    /// The tree of all these files.
    pub fn tree(&mut self, files: &Files) -> [u8; 20] {
        let mut entries: BTreeMap<String, Vec<u8>> = BTreeMap::new();
        let mut below: BTreeMap<&str, Files> = BTreeMap::new();
        for (path, blob) in files {
            match path.split_once('/') {
                Some((dir, rest)) => drop(below.entry(dir).or_default().insert(rest.to_owned(), blob.clone())),
                None => drop(entries.insert(path.clone(), [format!("100644 {path}\0").as_bytes(), &blob.id].concat())),
            }
        }
        for (dir, files) in below {
            let id = self.tree(&files);
            // Git sorts directories as if a slash followed (`base_name_compare`, tree.c).
            entries.insert(format!("{dir}/"), [format!("40000 {dir}\0").as_bytes(), &id].concat());
        }
        self.store("tree", &entries.into_values().collect::<Vec<_>>().concat())
    }

    /// A commit by `who` (`name <mail> seconds zone`).
    pub fn commit(&mut self, tree: [u8; 20], parent: Option<[u8; 20]>, who: &str, message: &str) -> [u8; 20] {
        let parent = parent.map(|id| format!("parent {}\n", hex(&id))).unwrap_or_default();
        let text = format!("tree {}\n{parent}author {who}\ncommitter {who}\n\n{message}\n", hex(&tree));
        self.store("commit", text.as_bytes())
    }

    fn store(&mut self, kind: &str, content: &[u8]) -> [u8; 20] {
        let whole = [format!("{kind} {}\0", content.len()).as_bytes(), content].concat();
        let id = Sha1::from(&whole).digest().bytes();
        let name = hex(&id);
        self.loose.entry(format!("{}/{}", &name[..2], &name[2..])).or_insert_with(|| zlib(&whole));
        id
    }
}

pub fn hex(id: &[u8]) -> String {
    id.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// RFC 1950 around stored blocks of RFC 1951: well-formed, and every value in it can be found without unpacking.
fn zlib(bytes: &[u8]) -> Vec<u8> {
    let mut out = vec![0x78, 0x01];
    let mut blocks = bytes.chunks(0xffff).peekable();
    while let Some(block) = blocks.next() {
        out.push(u8::from(blocks.peek().is_none()));
        let length = block.len() as u16;
        out.extend(length.to_le_bytes());
        out.extend((!length).to_le_bytes());
        out.extend(block);
    }
    let (mut a, mut b) = (1u32, 0u32);
    for byte in bytes {
        a = (a + u32::from(*byte)) % 65521;
        b = (b + a) % 65521;
    }
    out.extend((b << 16 | a).to_be_bytes());
    out
}

/// `.git/index`, version 2 (gitformat-index(5)): sizes and identifiers are right, times and inodes are 0, so git looks at the files themselves.
pub fn index(files: &Files) -> Vec<u8> {
    let mut out = b"DIRC".to_vec();
    out.extend(2u32.to_be_bytes());
    out.extend((files.len() as u32).to_be_bytes());
    for (path, blob) in files {
        let start = out.len();
        // Both times, device, inode; mode; user, group.
        out.extend([0; 24]);
        out.extend(0o100_644u32.to_be_bytes());
        out.extend([0; 8]);
        out.extend(blob.size.to_be_bytes());
        out.extend(blob.id);
        out.extend((path.len() as u16).to_be_bytes());
        out.extend(path.bytes());
        let length = out.len() - start;
        out.resize(start + (length + 8) / 8 * 8, 0);
    }
    let digest = Sha1::from(&out).digest().bytes();
    out.extend(digest);
    out
}
