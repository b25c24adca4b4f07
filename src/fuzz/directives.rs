//! Target: what build scripts tell cargo, and what becomes of it: directives, linker arguments with their response files, variables that
//! steer others. Lines are put together from words whose meaning is known, in every spelling there is, and must be read so.

use std::collections::BTreeMap;

use super::mutate::mutate;
use super::source::Source;
use super::{Bytes, fuzz, must};
use crate::attribute::directives::{Directive, read};
use crate::judge::Places;
use crate::judge::linking::steers;
use crate::judge::loader::{Variable, changed, directed, loader_tampering};
use crate::model::{ActorKind, Severity};

const SECRET: &str = "C4nary7f3b91";
/// Keys of the format cargo has always taken, and the key it is read as; `None` where it has no consequence for others.
const KEYS: [(&str, Option<&str>); 12] = [
    ("rustc-env", Some("rustc-env")),
    ("rustc-flags", Some("rustc-flags")),
    ("rustc-link-lib", Some("rustc-link-lib")),
    ("rustc-link-arg", Some("rustc-link-arg")),
    ("rustc-link-arg-bin", Some("rustc-link-arg-bin")),
    ("rustc-link-arg-cdylib", Some("rustc-link-arg-cdylib")),
    ("rustc-cdylib-link-arg", Some("rustc-cdylib-link-arg")),
    ("rustc-cfg", None),
    ("warning", None),
    ("rerun-if-changed", None),
    ("root", Some("metadata")),
    ("Rustc-Env", Some("metadata")),
];

fn places() -> Places {
    Places {
        workspace: Some("/home/u/app".into()),
        target: "/home/u/app/target".into(),
        build: "/home/u/app/target".into(),
        toolchain: "/home/u/.rustup/toolchains/stable".into(),
        rustup_home: Some("/home/u/.rustup".into()),
        cargo_home: "/home/u/.cargo".into(),
        tmp: "/tmp/brig-1".into(),
        ..Places::default()
    }
}

/// An output, and what it says as key and value.
fn output(source: &mut Source) -> (Bytes, Vec<(&'static str, String)>) {
    let (mut text, mut said) = (Vec::new(), Vec::new());
    for _ in 0..source.below(8) {
        let (key, read_as) = source.pick(&KEYS);
        let newer = source.one_in(2);
        let value = source.pick(&["A=b", "A=b=c", "=", "", "x", "-Wl,-z,now", "app=-Tx", "cargo:rustc-env=X=y", "\u{e9} \u{202e}"]);
        let line = format!("{}{key}={value}", if newer { "cargo::" } else { "cargo:" });
        let around = source.pick(&["", " ", "\t", "\u{a0}", "\r"]);
        let broken: &[u8] = source.pick(&[b"", b"", b"", b"x ", b"\xff", b"cargo:", b"CARGO:"]);
        text.extend([around.as_bytes(), broken, line.as_bytes(), around.as_bytes()].concat());
        text.push(b'\n');
        let value = value.trim_end().to_owned();
        match (broken, read_as) {
            (b"", Some("metadata")) if !newer => said.push(("metadata", format!("{key}={value}"))),
            (b"", Some("metadata") | None) => {}
            (b"", Some(key)) => said.push((key, value)),
            // `cargo:cargo:key=value` is a value for dependents.
            (b"cargo:", _) => said.push(("metadata", line.trim_end().to_owned())),
            _ => {}
        }
    }
    if source.one_in(2) && text.last() == Some(&b'\n') {
        text.pop();
    }
    (Bytes(text), said)
}

#[test]
fn what_was_said_is_what_was_meant() {
    fuzz("directives", 2000, output, |(text, said)| {
        let found = read(&text.0[..], None).map_err(|error| error.to_string())?;
        let found: Vec<(&str, String)> = found.into_iter().map(|told| (told.key, told.value)).collect();
        must(found == *said, || format!("read as {found:?}, meant {said:?}"))
    });
}

#[test]
fn any_output_is_read() {
    let damaged = |source: &mut Source| {
        let (mut bytes, other) = (output(source).0.0, output(source).0.0);
        let words: [&[u8]; 6] = [b"cargo:", b"cargo::", b"=", b"\n", b"/old/out", b"\0"];
        mutate(source, &mut bytes, &other, &words);
        Bytes(bytes)
    };
    fuzz("directives-any", 2000, damaged, |text| {
        let found = read(&text.0[..], Some(("/old/out", "/new/out"))).map_err(|error| error.to_string())?;
        let lines = text.0.split(|byte| *byte == b'\n').count();
        must(found.len() <= lines, || format!("{} directives in {lines} lines", found.len()))?;
        for told in &found {
            let moved = told.value.len() + told.key.len() <= text.0.len() + 8 * lines;
            must(moved && !told.value.contains("/old/out") && !told.value.contains('\n'), || format!("{told:?}"))?;
            must(told.variable().is_none_or(|(name, _)| told.shown() == name), || format!("shows {:?}", told.shown()))?;
        }
        Ok(())
    });
}

#[test]
fn values_are_never_shown() {
    let told = |source: &mut Source| {
        let (key, name) = (source.pick(&["rustc-env", "metadata"]), source.text().replace('=', ""));
        Directive { key, value: format!("{name}={SECRET}{}", source.text()) }
    };
    fuzz("directives-shown", 300, told, |told| must(!told.shown().contains(SECRET), || told.shown().to_owned()));
}

const PLACES: [(&str, Severity); 7] = [
    ("/usr/lib/x y.so", Severity::Info),
    ("/home/u/.rustup/toolchains/stable/lib/x", Severity::Info),
    ("/home/u/app/target/debug/build/x-1/out/p.so", Severity::High),
    ("/tmp/p 'q\".so", Severity::High),
    ("/usr/../tmp/p.so", Severity::High),
    ("p.so", Severity::High),
    ("/usr/lib/./x.so", Severity::High),
];

/// Options whose value is the next word, or stands behind the sign.
const LINKERS: [&str; 8] =
    ["-plugin", "--plugin", "--dynamic-linker", "-dynamic-linker", "--audit", "--thinlto-distributor", "--load-pass-plugin", "-load"];
const DRIVERS: [&str; 4] = ["-fplugin", "--ld-path", "--prefix", "-iplugindir"];
const HONEST: [&[&str]; 12] = [
    &["-Tlink.x"],
    &["--gc-sections"],
    &["-rpath", "$ORIGIN/../lib"],
    &["-z", "now"],
    &["-Bstatic"],
    &["/home/u/app/x.o"],
    &["-lx"],
    &["-undefined", "dynamic_lookup"],
    &["--version-script=/home/u/app/map"],
    &["-plugin-opt=O3"],
    &["x y"],
    &[""],
];

/// Something said to a linker, in words of its own; whether they are the driver's, of which the linker behind it knows nothing.
fn said(source: &mut Source) -> (Vec<String>, bool, Option<Severity>) {
    if source.one_in(2) {
        return (source.pick(&HONEST).iter().map(|word| (*word).to_owned()).collect(), false, None);
    }
    let drivers = source.one_in(3);
    let name = if drivers { source.pick(&DRIVERS) } else { source.pick(&LINKERS) };
    let (place, severity) = source.pick(&PLACES);
    let words = if source.one_in(2) { vec![format!("{name}={place}")] } else { vec![name.to_owned(), place.to_owned()] };
    (words, drivers, Some(severity))
}

/// The words of a line, the response files it names, and what must be found: by which words, and how bad.
#[derive(Debug, Default)]
struct Line {
    words: Vec<String>,
    files: BTreeMap<String, String>,
    expected: Vec<((usize, usize), Severity)>,
}

fn line(source: &mut Source) -> Line {
    let mut line = Line::default();
    for _ in 0..source.below(6) {
        let (words, drivers, severity) = said(source);
        let mut spelt = spell(source, words, drivers);
        for _ in 0..source.below(3) {
            if source.one_in(2) {
                spelt = filed(source, &spelt, &mut line.files);
            }
        }
        let first = line.words.len();
        line.words.extend(spelt);
        line.expected.extend(severity.map(|severity| ((first, line.words.len() - 1), severity)));
    }
    line
}

/// As the driver's own words, or handed on to the linker in one of two ways.
fn spell(source: &mut Source, words: Vec<String>, drivers: bool) -> Vec<String> {
    match source.below(3) {
        0 if !drivers && words.iter().all(|word| !word.contains(',')) => vec![format!("-Wl,{}", words.join(","))],
        1 if !drivers => words.into_iter().flat_map(|word| ["-Xlinker".to_owned(), word]).collect(),
        _ => words,
    }
}

/// The same words in a response file, quoted one way or another.
fn filed(source: &mut Source, words: &[String], files: &mut BTreeMap<String, String>) -> Vec<String> {
    let mut quoted = |word: &String| match source.below(3) {
        0 => format!("'{}'", word.replace('\\', "\\\\").replace('\'', "\\'")),
        1 => format!("\"{}\"", word.replace('\\', "\\\\").replace('"', "\\\"")),
        _ if word.is_empty() => "''".to_owned(),
        _ => word.chars().flat_map(|c| if c.is_alphanumeric() { vec![c] } else { vec!['\\', c] }).collect(),
    };
    let text: Vec<String> = words.iter().map(&mut quoted).collect();
    let name = format!("{}.rsp", files.len());
    files.insert(name.clone(), text.join(source.pick(&[" ", "\n", "\t\n  "])));
    vec![format!("@{name}")]
}

#[test]
fn what_steers_a_linker_is_found_however_it_is_said() {
    fuzz("linking", 3000, line, |line| {
        let mut file = |name: &[u8]| line.files.get(str::from_utf8(name).ok()?).map(|text| text.clone().into_bytes());
        let found = steers(line.words.iter().map(|word| word.as_bytes()), &places(), &mut file);
        let found: Vec<_> = found.iter().map(|steer| (steer.words, steer.severity)).collect();
        must(found == line.expected, || format!("found {found:?}"))
    });
}

#[test]
fn any_words_are_weighed() {
    let damaged = |source: &mut Source| {
        let mut line = line(source);
        let others =
            ["-Xlinker", "-Wl,", "-Wl,@0.rsp", "@0.rsp", "@", "@@", "-", "--", "-B", "-I", "-plugin-opt=", "-plugin-opt=-plugin-opt=-load"];
        let most = source.pick(&[2, 40]);
        line.words.extend(source.many(most, |source| source.pick(&others).to_owned()));
        source.shuffle(&mut line.words);
        let mut damage = |text: &str| {
            let mut bytes = text.as_bytes().to_vec();
            if source.one_in(3) {
                mutate(source, &mut bytes, b"-plugin=@0.rsp", &[b"-Wl,", b"@", b"'", b"\\", b"=", b",", b" "]);
            }
            Bytes(bytes)
        };
        let words: Vec<Bytes> = line.words.iter().map(|word| damage(word)).collect();
        let files: BTreeMap<Vec<u8>, Bytes> = line.files.iter().map(|(name, text)| (name.clone().into_bytes(), damage(text))).collect();
        (words, files)
    };
    fuzz("linking-any", 2000, damaged, |(words, files)| {
        let mut asked = 0;
        let mut file = |name: &[u8]| {
            asked += 1;
            files.get(name).map(|text| text.0.clone())
        };
        let found = steers(words.iter().map(|word| &word.0[..]), &places(), &mut file);
        must(asked <= 64, || format!("{asked} files were asked for"))?;
        let inside = found.iter().all(|steer| steer.words.0 <= steer.words.1 && steer.words.1 < words.len());
        must(inside, || format!("words that are not there: {found:?}"))
    });
}

/// Files that name themselves, over and over, with much behind it: what is read at a time is bounded.
#[test]
fn files_in_files_end_soon() {
    let bomb = |source: &mut Source| {
        (
            source.pick(&["@a ", "@a @a ", "-Wl,@a @a "]),
            source.pick(&["x ", "-Wl,,,,,, ", "@b ", "'' "]),
            source.pick(&[1 << 14, 1 << 18, 4 << 20]),
        )
    };
    fuzz("linking-bomb", 3, bomb, |(start, rest, size)| {
        let content = [start.as_bytes(), &rest.as_bytes().repeat(size / rest.len())].concat();
        let mut file = |name: &[u8]| (name == b"a").then(|| content.clone());
        let found = steers([&b"@a"[..]], &places(), &mut file);
        must(found.iter().any(|steer| steer.words == (0, 0) && steer.severity == Severity::Medium), || format!("{} found", found.len()))?;
        must(found.len() <= 2, || format!("{} found", found.len()))
    });
}

/// A path variable that was changed, and whether by nobody but cargo.
fn search_path(source: &mut Source) -> (String, String, bool) {
    let old = source.many(3, |source| source.pick(&["/usr/bin", "/opt/x", "", "/home/u/.cargo/bin"]));
    let known = ["/home/u/.cargo/bin", "/home/u/.rustup/toolchains/stable/bin"];
    let foreign = ["/home/u/app/target/debug/build/x-1/out", "/tmp", ".", "/home/u/.cargo/bin2"];
    let front = source.many(3, |source| if source.one_in(4) { source.pick(&foreign) } else { source.pick(&known) });
    let behind = if source.one_in(4) { vec![source.pick(&["/tmp", "/home/u/.cargo/bin3"])] } else { Vec::new() };
    let honest = front.iter().all(|dir| known.contains(dir)) && behind.is_empty();
    (old.join(":"), [front, old, behind].concat().join(":"), honest)
}

#[test]
fn a_search_path_grows_at_its_front_alone() {
    fuzz("loader-path", 1500, search_path, |(old, new, honest)| {
        let (given, seen): ([Variable; 1], Variable) = ([(b"PATH", old.as_bytes())], (b"PATH", new.as_bytes()));
        let found = loader_tampering(ActorKind::Rustc, &given, &[seen], &places());
        must(found.is_empty() == *honest, || format!("{found:?}"))?;
        must(directed(seen, &given, &places()).is_none() == *honest, || "told otherwise".into())
    });
}

#[test]
fn any_variable_is_judged_by_its_name() {
    let names =
        ["LD_PRELOAD", "LD_", "LD", "PATH", "PATHX", "GCONV_PATH", "HOME", "CARGO_BUILD_X", "CARGO_TARGET_X_RUNNER", "RUSTFLAGS", ""];
    let variable = |source: &mut Source| {
        let name = if source.one_in(4) { source.hostile().as_bytes().to_vec() } else { source.pick(&names).into() };
        (Bytes(name), Bytes(source.hostile().as_bytes().to_vec()), source.one_in(2))
    };
    fuzz("loader-any", 1000, variable, |(name, value, same)| {
        let before = if *same { value.0.clone() } else { b"/usr/bin".to_vec() };
        let given: [Variable; 2] = [(&name.0, &before), (b"OTHER", b"x")];
        let seen: Variable = (&name.0, &value.0);
        let answer = directed(seen, &given, &places());
        // What everybody has anyway is no attempt.
        must(before != value.0 || answer.is_none(), || format!("{answer:?} for what is there"))?;
        let loads = name.0.starts_with(b"LD_") && name.0 != b"LD_LIBRARY_PATH" || name.0 == b"GCONV_PATH";
        must(!loads || before == value.0 || answer == Some(Severity::High), || format!("{answer:?}"))?;
        must(changed(ActorKind::Program, &given, &[seen]).is_empty() || before != value.0, || "changed into itself".into())
    });
}
