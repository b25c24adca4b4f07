//! Target: the command line of a compiler, in every spelling rustc takes, whole or in cargo's response file: it says whose crate is compiled
//! and where results go.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::{Component, Path, PathBuf};

use super::mutate::mutate;
use super::source::Source;
use super::{Bytes, fuzz, must};
use crate::attribute::invocation::{Invocation, written_by_cargo};
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
            1 => ("--out-dir", path.to_owned()),
            2 => {
                says.extra_filename.get_or_insert_with(|| name.to_owned());
                (source.pick(&["-C", "--codegen"]), format!("extra-filename={name}"))
            }
            3 => {
                says.incremental.get_or_insert_with(|| whole.clone());
                (source.pick(&["-C", "--codegen"]), format!("incremental={path}"))
            }
            4 => ("-o", path.to_owned()),
            5 => ("--emit", source.pick(&["dep-info,§", "§,link", "link=-,§,obj"]).replace('§', &format!("metadata={path}"))),
            // Values that look like something else.
            6 => {
                let value = source.pick(&["x.rs", "--out-dir", "-o", "@x", "-", "linker=x"]);
                says.argument_files.extend((value == "@x").then(|| value.into()));
                (source.pick(&["--cfg", "-L", "--extern", "--check-cfg"]), value.to_owned())
            }
            _ => {
                let root = source.pick(&["src/lib.rs", "/x/./build.rs", "../y/main.rs", "lib"]);
                says.root.get_or_insert_with(|| crate::attribute::source::clean(&Path::new(CWD).join(root)));
                words.push(root.to_owned());
                continue;
            }
        };
        let joined = source.one_in(2);
        let word = match (joined, option.starts_with("--")) {
            (true, true) => format!("{option}={value}"),
            (true, false) => format!("{option}{value}"),
            (false, _) => value.clone(),
        };
        // A file of arguments is one only as a word by itself.
        if joined && value == "@x" {
            says.argument_files.pop();
        }
        match option {
            "--out-dir" if says.out_dir.is_none() => says.out_dir = Some(whole),
            "--out-dir" | "-o" => says.wishes.push((word.clone().into(), whole)),
            "-L" => says.searches.push(value.clone().into()),
            "--emit" => says.wishes.push((word.clone().into(), whole)),
            _ => {}
        }
        match joined {
            true => words.push(word),
            false => words.extend([option.to_owned(), value]),
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

/// Cargo's file holds one argument per line.
#[test]
fn a_file_says_what_the_line_says() {
    let dir = tempfile::tempdir().expect("temporary directory");
    let places = Places { tmp: dir.path().to_owned(), ..Places::default() };
    std::fs::create_dir(places.cargos_tmp()).expect("made");
    fuzz("compiler-file", 200, line, |line| {
        let file = places.cargos_tmp().join("cargo-argfile.0a");
        std::fs::write(&file, line.words.join("\n")).map_err(|error| error.to_string())?;
        let only = [OsString::from(format!("@{}", file.display()))];
        let words = written_by_cargo(&only, &places);
        must(line.words.is_empty() || Invocation::read(&words, Path::new(CWD), false) == line.says, || format!("read as {words:?}"))
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
            let named = found.wishes.iter().map(|(_, file)| file).chain(&found.root).chain(&found.out_dir).chain(&found.incremental);
            must(named.into_iter().all(|path| sound(&path)), || format!("{found:?}"))?;
            // What is granted lies where the build's results go, and is cargo's own.
            let granted = found.outputs_within(&places, |_| false);
            let profile = found.out_dir.as_deref().and_then(|dir| dir.ancestors().nth(4)).unwrap_or(Path::new("/"));
            let inside = |path: &PathBuf| ["/t", "/b"].iter().any(|tree| path.starts_with(tree)) || path.starts_with(profile);
            let cargos = |path: &PathBuf| [&found.out_dir, &found.incremental].iter().any(|known| known.as_ref() == Some(path));
            must(granted.iter().all(|path| inside(path) && cargos(path)), || format!("granted {granted:?}"))?;
        }
        Ok(())
    });
}
