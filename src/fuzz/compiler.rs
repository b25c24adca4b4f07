//! Target: the command line of a compiler, in every spelling rustc takes, whole or in cargo's response file: it says whose crate is compiled
//! and where results go.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::{Component, Path, PathBuf};

use super::mutate::mutate;
use super::source::Source;
use super::{Bytes, fuzz, must};
use crate::attribute::invocation::Invocation;
use crate::judge::Places;

const CWD: &str = "/home/u/app";

/// A line, and what it says.
#[derive(Debug)]
struct Line {
    words: Vec<String>,
    says: Invocation,
}

fn line(source: &mut Source) -> Line {
    let (mut words, mut says): (Vec<String>, Invocation) = (Vec::new(), Invocation::default());
    for _ in 0..source.below(9) {
        let path = source.pick(&["/t/debug/deps", "deps", "./a/../b", "/t/../x", "/"]);
        let whole = crate::attribute::source::clean(&Path::new(CWD).join(path));
        let name = source.pick(&["app", "build_script_build", "-x", "a=b"]);
        let (option, value) = match source.below(8) {
            0 => {
                says.crate_name.get_or_insert_with(|| name.to_owned());
                ("--crate-name", name.to_owned())
            }
            1 => {
                says.out_dir.get_or_insert_with(|| whole.clone());
                says.outputs.push(whole);
                ("--out-dir", path.to_owned())
            }
            2 => {
                says.extra_filename.get_or_insert_with(|| name.to_owned());
                (source.pick(&["-C", "--codegen"]), format!("extra-filename={name}"))
            }
            3 => {
                says.outputs.push(whole);
                (source.pick(&["-C", "--codegen"]), format!("incremental={path}"))
            }
            4 => {
                says.outputs.extend(whole.parent().map(Path::to_owned));
                ("-o", path.to_owned())
            }
            5 => {
                says.outputs.extend(whole.parent().map(Path::to_owned));
                ("--emit", source.pick(&["dep-info,§", "§,link", "link=-,§,obj"]).replace('§', &format!("metadata={path}")))
            }
            // Values that look like something else.
            6 => {
                (source.pick(&["--cfg", "-L", "--extern", "--check-cfg"]), source.pick(&["x.rs", "--out-dir", "-o", "@x", "-"]).to_owned())
            }
            _ => {
                let root = source.pick(&["src/lib.rs", "/x/./build.rs", "../y/main.rs"]);
                says.root.get_or_insert_with(|| crate::attribute::source::clean(&Path::new(CWD).join(root)));
                words.push(root.to_owned());
                continue;
            }
        };
        // A short option takes its value at once or as the next word, a long one behind a sign or as the next word.
        match (source.one_in(2), option.starts_with("--")) {
            (true, true) => words.push(format!("{option}={value}")),
            (true, false) => words.push(format!("{option}{value}")),
            (false, _) => words.extend([option.to_owned(), value]),
        }
    }
    Line { words, says }
}

fn read(words: &[String], cwd: &Path) -> Invocation {
    let words: Vec<OsString> = words.iter().map(OsString::from).collect();
    Invocation::read(&words, cwd, false)
}

#[test]
fn a_line_says_what_was_meant() {
    fuzz("compiler", 2000, line, |line| {
        let found = read(&line.words, Path::new(CWD));
        must(found == line.says, || format!("read as {found:?}"))
    });
}

/// Cargo's file holds one argument per line, and what it holds is no response file again.
#[test]
fn a_file_says_what_the_line_says() {
    let dir = tempfile::tempdir().expect("temporary directory");
    fuzz("compiler-file", 200, line, |line| {
        let file = dir.path().join("line");
        std::fs::write(&file, line.words.iter().map(|word| format!("{word}\n")).collect::<String>()).map_err(|error| error.to_string())?;
        let found = read(&[format!("@{}", file.display())], Path::new(CWD));
        must(found == line.says, || format!("read as {found:?}"))
    });
}

#[test]
fn any_line_is_read() {
    let places = Places { target: "/t".into(), build: "/b".into(), ..Places::default() };
    let damaged = |source: &mut Source| {
        let mut words = line(source).words;
        source.shuffle(&mut words);
        let mut damage = |word: &String| {
            let mut bytes = word.as_bytes().to_vec();
            if source.one_in(3) {
                mutate(source, &mut bytes, b"--emit=link=/x", &[b"=", b"-", b"--", b"@", b",", b"/..", b"\xff", b"/"]);
            }
            Bytes(bytes)
        };
        words.iter().map(&mut damage).collect::<Vec<_>>()
    };
    fuzz("compiler-any", 2000, damaged, |words| {
        let words: Vec<OsString> = words.iter().map(|word| OsString::from_vec(word.0.clone())).collect();
        for documents in [false, true] {
            let found = Invocation::read(&words, Path::new(CWD), documents);
            let sound = |path: &&PathBuf| path.is_absolute() && !path.components().any(|part| part == Component::ParentDir);
            must(found.outputs.iter().chain(&found.root).all(|path| sound(&path)), || format!("{found:?}"))?;
            // What is granted lies where the build's results go.
            let granted = found.outputs_within(&places);
            let profile = found.out_dir.as_deref().and_then(|dir| dir.ancestors().nth(4)).unwrap_or(Path::new("/"));
            let inside = |path: &PathBuf| ["/t", "/b"].iter().any(|tree| path.starts_with(tree)) || path.starts_with(profile);
            must(granted.iter().all(|path| inside(path) && found.outputs.contains(path)), || format!("granted {granted:?}"))?;
        }
        Ok(())
    });
}
