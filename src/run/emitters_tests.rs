//! What scripts said, found again with those who have to listen.

use super::*;
use crate::model::Rule;

/// What a script said in an earlier build counts when a compiler is given it.
#[test]
fn kept_words_are_the_scripts() {
    let dir = tempfile::tempdir().unwrap();
    let unit = dir.path().join("target/debug/build/x-0a");
    std::fs::create_dir_all(unit.join("out")).unwrap();
    let words = "cargo:rustc-link-arg=-Wl,-plugin,/tmp/p.so\ncargo:rustc-cfg=@/tmp/args\ncargo:rustc-flags=-l @more -L here\n";
    std::fs::write(unit.join("output"), words).unwrap();
    let places = Places { target: dir.path().join("target"), build: dir.path().join("target"), ..Places::default() };
    for (line, found) in [
        (&["-C", "link-arg=-Wl,-plugin,/tmp/p.so"][..], 3),
        (&["-Clink-arg=-Wl,-plugin,/tmp/p.so"], 3),
        (&["--cfg", "@/tmp/args"], 3),
        (&["-l", "@more"], 3),
        (&["--cfg", "@/tmp/others"], 0),
        (&["-L", "link-arg=-Wl,-plugin,/tmp/p.so"], 0),
    ] {
        let journal = Journal::default();
        let ground = Ground { journal: &journal, places: &places, given: &[] };
        let argv: Vec<std::ffi::OsString> = line.iter().map(Into::into).collect();
        let invocation = Invocation::read(&argv, dir.path(), false);
        Emitters::default().compile(&invocation, dir.path(), None, &ground, &mut || ActorId(7));
        let breaches: Vec<_> = journal.snapshot().breaches.iter().map(|found| found.event.breach.clone().map(|b| b.rule)).collect();
        assert_eq!(breaches, vec![Some(Rule::LinkLoader); found], "{line:?}");
    }
}
