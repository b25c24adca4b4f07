//! Target: `brig.lock`, and lists of what is known to be malicious: a repository brings them, and merges leave them in any state. Read or refused with a line that is in
//! the file; what is read is written and read again as it was; and whatever a build calls things, a lock of it says of nobody else anything.

use super::mutate::mutate;
use super::source::Source;
use super::{Bytes, fuzz, must};
use crate::baseline::line::Line;
use crate::baseline::lock::{Beside, Lock, Unit};
use crate::model::ActorKind;
use crate::plan::malicious;

const LOCK: &str = "# x\nbrig-lock 1\ngiven build-script 0.1.0 00ff ran x86_64-linux more,std\ngiven build-script does exec echo\n\
    given build-script does read {workspace}/a\\x20b\nmade_macro proc-macro 1.2.3 git:abc unseen - -\nmade_macro rustc does write {workspace}/x\n";
const WORDS: [&[u8]; 14] = [
    b"\n",
    b" ",
    b"\r\n",
    b"<<<<<<< HEAD\n",
    b"=======\n",
    b">>>>>>> b\n",
    b"brig-lock 1\n",
    b" does ",
    b"build-script",
    b"ran",
    b"-",
    b"\xe2\x80\xae",
    b",",
    b"#",
];

#[test]
fn any_lock_is_read_or_refused() {
    let damaged = |source: &mut Source| {
        let mut bytes = LOCK.as_bytes().to_vec();
        mutate(source, &mut bytes, LOCK.as_bytes(), &WORDS);
        Bytes(bytes)
    };
    fuzz("lock", 400, damaged, |bytes| {
        let Ok(text) = std::str::from_utf8(&bytes.0) else { return Ok(()) };
        match Lock::read(text) {
            Err(wrong) => {
                must(wrong.line >= 1 && wrong.line <= text.lines().count().max(1) as u32, || {
                    format!("a place outside of the file: {wrong:?}")
                })?;
                must(!wrong.message.contains('\n'), || format!("says {:?}", wrong.message))
            }
            Ok(lock) => {
                let written = lock.text();
                let again = Lock::read(&written).map_err(|wrong| format!("{wrong:?} in {written:?}"))?;
                must(again == lock && again.text() == written, || format!("written as {written:?}"))
            }
        }
    });
}

#[test]
fn whatever_things_are_called_a_lock_says_it_of_nobody_else() {
    let hostile = |source: &mut Source| (source.text(), source.text(), source.hostile(), source.many(3, Source::text));
    fuzz("lock-names", 300, hostile, |(name, version, path, features)| {
        let unit = Unit { name: name.clone(), kind: ActorKind::BuildScript, version: version.clone(), pin: version.clone() };
        let beside = Beside { ran: true, on: features.iter().cloned().collect(), features: features.iter().cloned().collect() };
        let mut lock = Lock::default();
        lock.units.insert(unit, beside);
        lock.did.entry((name.clone(), ActorKind::Rustc)).or_default().insert(Line::new("read", &[path.as_bytes()]));
        let text = lock.text();
        let again = Lock::read(&text).map_err(|wrong| format!("{wrong:?} in {text:?}"))?;
        must(again.units.len() == 1 && again.did.len() == 1, || format!("more than was said: {text:?}"))?;
        let other = again.units.keys().next().map(|unit| unit.name.as_str());
        must(other.is_some_and(|other| !["given", "serde"].contains(&other) || other == name), || format!("of somebody else: {text:?}"))
    });
}

#[test]
fn damaged_lists_are_read_or_refused() {
    let shipped: Vec<&str> = malicious::TEXT.split("\n\n").collect();
    let damaged = |source: &mut Source| {
        let mut bytes = format!("version = 1\n{}\n", source.many(4, |source| source.pick(&shipped).to_owned()).join("\n")).into_bytes();
        mutate(
            source,
            &mut bytes,
            malicious::TEXT.as_bytes(),
            &[b"[[malicious]]", b"\"", b"=", b"2026-13-01", b"versions = \"*\"", b"\xff"],
        );
        Bytes(bytes)
    };
    fuzz("known-malicious", 150, damaged, |bytes| {
        let Ok(text) = std::str::from_utf8(&bytes.0) else { return Ok(()) };
        let lines = text.lines().count() as u32 + 1;
        match malicious::parse("f", text) {
            Err(error) => must(error.line >= 1 && error.line <= lines && !error.message.contains('\n'), || format!("{error:?}")),
            Ok(all) => must(all.iter().all(|known| !known.what.contains('\n') && !known.name.contains(' ')), || format!("{all:?}")),
        }
    });
}
