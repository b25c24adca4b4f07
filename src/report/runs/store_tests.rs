//! Names, what is kept and what goes, and a directory somebody else filled.

use std::fs;

use super::*;
use crate::model::Standing;
use crate::report::assemble;
use crate::report::samples::*;

fn report(started: u64) -> Report {
    let mut report = assemble(&stolen_env(), &facts(), &Graph);
    report.run.started = started;
    report
}

fn keep(runs: &Runs, mut report: Report) -> String {
    report.run.id = runs.name(report.run.started).unwrap().to_string();
    runs.keep(&report).unwrap();
    report.run.id
}

#[test]
fn names_are_ours_alone() {
    for name in ["20261129-105507", "20261129-105507-2", "20261129-105507-10"] {
        assert_eq!(Id::parse(name).unwrap().to_string(), name);
    }
    let foreign = ["", "..", "../../etc/passwd", "20261129-10550", "20261129-105507-", "20261129-105507-1", "20261129-105507-02"];
    for name in foreign.into_iter().chain(["20261129-105507/x", "20261129_105507", "2026112\u{661}-105507", "20261129-105507-99999999999"])
    {
        assert_eq!(Id::parse(name), None, "{name}");
    }
    let id = |name| Id::parse(name).unwrap();
    assert!(id("20261129-105507") < id("20261129-105507-2") && id("20261129-105507-2") < id("20261129-105507-10"));
    // A clock that was put back, or a name from the future: the next is later all the same.
    assert_eq!(Id::next(0, Some(&id("20261129-105507-2"))), id("20261129-105507-3"));
    assert_eq!(Id::next(0, None), id("19700101-000000"));
}

#[test]
fn the_last_are_kept_and_those_that_are_needed() {
    let directory = tempfile::tempdir().unwrap();
    let runs = Runs::prepare(directory.path()).unwrap();
    let first = keep(&runs, report(0));
    keep(&runs, report(60));
    let standing = |run: &str| Standing { run: run.into(), started: 0, command: Vec::new(), actors: Vec::new(), findings: Vec::new() };
    let ids: Vec<String> = (2..12)
        .map(|minute| {
            let mut report = report(60 * minute);
            report.standing = vec![standing(&first), standing("../../precious")];
            keep(&runs, report)
        })
        .collect();
    let kept: Vec<String> = runs.ids().unwrap().iter().map(Id::to_string).collect();
    assert_eq!(kept.len(), KEPT + 1);
    assert_eq!((&kept[0], &kept[KEPT]), (ids.last().unwrap(), &first));
    assert_eq!(named(directory.path(), &first).unwrap().run.id, first);
    assert_eq!(runs.newest(report(0).run.workspace.as_ref()).unwrap().run.id, *ids.last().unwrap());
    assert!(runs.newest(Some(&"/elsewhere".into())).is_none());
    let left = fs::read_dir(directory.path().join("runs")).unwrap().count();
    assert_eq!(left, KEPT + 1, "no temporary file is left");
}

#[test]
fn what_others_put_there_is_neither_followed_nor_removed() {
    let directory = tempfile::tempdir().unwrap();
    let at = |name: &str| directory.path().join(name);
    fs::create_dir(at("elsewhere")).unwrap();
    std::os::unix::fs::symlink(at("elsewhere"), at("runs")).unwrap();
    assert!(Runs::prepare(directory.path()).is_err() && Runs::open(directory.path()).is_err(), "the directory is never a link");
    fs::remove_file(at("runs")).unwrap();
    assert!(Runs::open(directory.path()).unwrap().is_none());
    assert!(named(directory.path(), "20261129-105507").is_err());

    let runs = Runs::prepare(directory.path()).unwrap();
    fs::write(at("precious.json"), "precious").unwrap();
    for name in ["notes.json", "20000101-000000.txt"] {
        fs::write(at("runs").join(name), "").unwrap();
    }
    std::os::unix::fs::symlink(at("precious.json"), at("runs/20000101-000001.json")).unwrap();
    fs::write(at("runs/20000101-000002.json"), "{").unwrap();
    fs::create_dir(at("runs/20000101-000003.json")).unwrap();
    let told = format!("{:#}", named(directory.path(), "20000101-000001").unwrap_err());
    assert!(told.contains("read report") && !told.contains("precious`"), "{told}");
    assert!(named(directory.path(), "../precious").unwrap_err().to_string().contains("--list"));
    let mine = keep(&runs, report(0));
    assert_eq!(runs.newest(report(0).run.workspace.as_ref()).unwrap().run.id, mine);
    (1..=KEPT as u64).for_each(|minute| drop(keep(&runs, report(1_790_000_000 + 60 * minute))));
    for name in ["notes.json", "20000101-000000.txt", "20000101-000003.json"] {
        assert!(at("runs").join(name).exists(), "{name}");
    }
    assert_eq!(fs::read_to_string(at("precious.json")).unwrap(), "precious");
    // Another took the place of the directory while the build ran: what is kept goes where it was to go.
    fs::rename(at("runs"), at("moved")).unwrap();
    std::os::unix::fs::symlink(at("elsewhere"), at("runs")).unwrap();
    let last = keep(&runs, report(1_800_000_000));
    assert!(at("moved").join(format!("{last}.json")).exists());
    assert_eq!(fs::read_dir(at("elsewhere")).unwrap().count(), 0);
}
