//! The modules of a crate as its files have them. In: the directory of a package. Out: each module's items, by its path within the crate, and what
//! could not be read. Bounded in files, bytes and depth; nothing of it is fatal but a package without a library.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use crate::suspect::harness::reduce;

/// Bytes of one file.
const BYTES: u64 = 1 << 20;
const DEEPEST: usize = 24;
/// For a parser that goes into itself once for each level of a type.
pub const STACK: usize = 128 << 20;

/// Of the crate, by path: the root's is empty.
pub type Modules = BTreeMap<Vec<String>, Module>;

pub struct Module {
    pub public: bool,
    pub items: Vec<syn::Item>,
}

/// What a package's manifest says of its library.
pub struct Library {
    /// As code calls it.
    pub name: String,
    pub root: PathBuf,
    pub is_macro: bool,
}

impl Library {
    /// # Errors
    /// When there is no manifest, or it names no library.
    pub fn of(package: &Path) -> io::Result<Library> {
        let manifest = read(&package.join("Cargo.toml"))?;
        let manifest: toml::Table = manifest.parse().map_err(|error: toml::de::Error| invalid(error.message().to_owned()))?;
        let lib = manifest.get("lib").and_then(toml::Value::as_table);
        let key = |name: &str| lib.and_then(|lib| lib.get(name));
        let text = |name: &str| key(name).and_then(toml::Value::as_str);
        let flag = |names: [&str; 2]| names.iter().any(|name| key(name).and_then(toml::Value::as_bool) == Some(true));
        let package_name = manifest.get("package").and_then(|table| table.get("name")).and_then(toml::Value::as_str);
        let name = text("name").or(package_name).ok_or_else(|| invalid("its manifest names no package".to_owned()))?.replace('-', "_");
        if !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
            return Err(invalid("its library has no name that code can use".to_owned()));
        }
        let root = package.join(text("path").unwrap_or("src/lib.rs"));
        if !root.is_file() || !root.canonicalize()?.starts_with(package.canonicalize()?) {
            return Err(io::Error::new(io::ErrorKind::NotFound, "it has no library"));
        }
        Ok(Library { name, root, is_macro: flag(["proc-macro", "proc_macro"]) })
    }
}

/// How much may still be read.
pub struct Room {
    pub files: usize,
    pub bytes: u64,
}

/// Reads all modules; the texts say what was left out. Types may be deep: wants a stack of [`STACK`].
pub fn modules(library: &Library, room: &mut Room) -> (Modules, Vec<String>) {
    let mut reading = Reading { modules: Modules::new(), told: Vec::new(), room };
    reading.file(&library.root, library.root.parent().unwrap_or(Path::new("/")), Vec::new(), true);
    (reading.modules, reading.told)
}

struct Reading<'r> {
    modules: Modules,
    told: Vec<String>,
    room: &'r mut Room,
}

impl Reading<'_> {
    /// `below` is where the files of its modules lie.
    fn file(&mut self, file: &Path, below: &Path, path: Vec<String>, public: bool) {
        let size = fs::symlink_metadata(file).map_or(0, |facts| facts.len());
        if self.room.files == 0 || self.room.bytes < size || path.len() > DEEPEST {
            self.told.push(format!("{}: left out, there is too much", file.display()));
            return;
        }
        (self.room.files, self.room.bytes) = (self.room.files - 1, self.room.bytes - size);
        match read(file).map_err(|error| error.to_string()).and_then(|text| reduce::items(&text)) {
            Ok(items) => self.module(items, below, path, public),
            Err(error) => self.told.push(format!("{}: {error}", file.display())),
        }
    }

    fn module(&mut self, items: Vec<syn::Item>, below: &Path, path: Vec<String>, public: bool) {
        if path.len() > DEEPEST {
            return;
        }
        let mut kept = Vec::new();
        for item in items.into_iter().flat_map(|item| with_inner(item, 0)) {
            let syn::Item::Mod(module) = item else {
                kept.push(item);
                continue;
            };
            if only_for_tests(&module.attrs) {
                continue;
            }
            let name = module.ident.to_string();
            let plain = name.trim_start_matches("r#").to_owned();
            let inner: Vec<String> = path.iter().cloned().chain([name]).collect();
            let public = matches!(module.vis, syn::Visibility::Public(_));
            let dir = below.join(&plain);
            match module.content {
                Some((_, items)) => self.module(items, &dir, inner, public),
                None => {
                    let named = path_of(&module.attrs).map(|named| below.join(named));
                    let files = [below.join(format!("{plain}.rs")), dir.join("mod.rs")];
                    match named.into_iter().chain(files).find(|file| file.is_file()) {
                        Some(file) => self.file(&file, &dir, inner, public),
                        None => self.told.push(format!("module {}: no file", inner.join("::"))),
                    }
                }
            }
        }
        self.modules.insert(path, Module { public, items: kept });
    }
}

/// Items that are handed to a macro as they are (`cfg_x! { pub fn … }`), beside the macro itself.
fn with_inner(item: syn::Item, depth: usize) -> Vec<syn::Item> {
    let inner = match &item {
        syn::Item::Macro(made) if made.ident.is_none() && depth < DEEPEST => reduce::items_of(made.mac.tokens.clone()).unwrap_or_default(),
        _ => Vec::new(),
    };
    [item].into_iter().chain(inner.into_iter().flat_map(|item| with_inner(item, depth + 1))).collect()
}

/// `#[path = "x.rs"]`, if it leads down.
fn path_of(attributes: &[syn::Attribute]) -> Option<String> {
    attributes.iter().find_map(|attribute| {
        let syn::Meta::NameValue(pair) = &attribute.meta else { return None };
        let syn::Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(text), .. }) = &pair.value else { return None };
        let text = text.value();
        (attribute.path().is_ident("path") && !text.starts_with('/') && !text.contains("..")).then_some(text)
    })
}

pub fn only_for_tests(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| match &attribute.meta {
        syn::Meta::List(list) if list.path.is_ident("cfg") => list.tokens.to_string() == "test",
        _ => false,
    })
}

fn read(file: &Path) -> io::Result<String> {
    if !fs::symlink_metadata(file)?.is_file() {
        return Err(invalid("no plain file".to_owned()));
    }
    let mut text = String::new();
    File::open(file)?.take(BYTES + 1).read_to_string(&mut text)?;
    if text.len() as u64 > BYTES {
        return Err(invalid("too large".to_owned()));
    }
    Ok(text)
}

fn invalid(text: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, text)
}
