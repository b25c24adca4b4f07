//! The gate against the kernel. A test is played by two: an actor — this very test program, run again as a child behind the real
//! filter — acts out a scene from `scenes`, and the test that started it serves the gate and looks at the record afterwards.

mod deeds;
mod garbage;
mod scenes;
mod stage;
mod trips;
mod twins;

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};

use crate::model::{Act, Mode, Rule, Status};
use stage::{Stage, path_of};

#[test]
fn files_are_opened_created_and_changed_as_without_us() {
    for stage in Stage::both(Mode::Enforce) {
        let played = stage.play("honest");
        played.assert_good();
        assert_eq!(played.breaches(), [] as [String; 0]);
        let out = stage.out();
        assert_eq!(fs::metadata(out.join("masked")).unwrap().mode() & 0o7777, 0o640);
        assert_eq!(fs::metadata(out.join("dir027")).unwrap().mode() & 0o7777, 0o750);
        assert_eq!(fs::metadata(out.join("chmodded")).unwrap().mode() & 0o7777, 0o751);
        assert_eq!(fs::metadata(out.join("timed")).unwrap().mtime(), 1234);
        assert_eq!(fs::read(out.join("target-of-dangling")).unwrap(), b"through a link");
        assert_eq!(fs::read(out.join("renamed")).unwrap(), b"to be renamed");
        assert_eq!(fs::read(out.join("hard")).unwrap(), b"to be renamed");
        for act in [Act::Create { path: path_of(&out.join("masked")) }, Act::Remove { path: path_of(&out.join("gone")) }] {
            assert!(played.record.behaviours.iter().any(|did| did.act == act && did.status == Status::Allowed), "{act:?}");
        }
    }
}

#[test]
fn a_secret_is_refused_by_every_way_that_leads_to_it() {
    for stage in Stage::both(Mode::Enforce) {
        let played = stage.play("thief");
        played.assert_good();
        let secret = path_of(&stage.secret());
        let refused: u64 = played.refused(|act| matches!(act, Act::Read { path } if *path == secret));
        assert!(refused >= 8, "{:?}", played.record.breaches);
        assert!(played.record.breaches.iter().all(|found| found.event.status == Status::Refused && found.event.blame.is_some()));
        assert!(
            played.record.breaches.iter().any(|found| found.event.breach.as_ref().is_some_and(|breach| breach.rule == Rule::SecretRead))
        );
        let blamed = |by: &str| {
            let blames = played.record.breaches.iter().filter_map(|found| found.event.blame.as_ref());
            blames.filter(|blame| blame.by == by).any(|blame| blame.crates.iter().any(|found| found.name == "cargo_brig"))
        };
        assert!(blamed("stack"), "{:?}", played.record.breaches);
        assert!(played.record.processes.iter().any(|process| process.blame.as_ref().is_some_and(|blame| blame.by == "inherited")));
        assert_eq!(fs::read(stage.secret()).unwrap(), b"TOKEN=CANARY\n");
        assert_eq!(fs::metadata(stage.secret()).unwrap().permissions().mode() & 0o777, 0o600);
    }
}

#[test]
fn observing_refuses_nothing_and_records_the_same() {
    for stage in Stage::both(Mode::Observe) {
        let played = stage.play("observed");
        played.assert_good();
        let secret = path_of(&stage.secret());
        let observed = |act: &Act| matches!(act, Act::Read { path } if *path == secret);
        assert!(played.record.breaches.iter().any(|found| observed(&found.event.act) && found.event.status == Status::Observed));
    }
}

#[test]
fn our_own_process_is_never_handed_over() {
    for mode in [Mode::Enforce, Mode::Observe] {
        Stage::both(mode).iter().for_each(|stage| stage.play("mirror").assert_good());
    }
}

#[test]
fn programs_are_judged_and_recorded() {
    for stage in Stage::both(Mode::Enforce) {
        let played = stage.play("runner");
        played.assert_good();
        let programs: Vec<_> =
            played.record.processes.iter().map(|process| process.exe.as_path().file_name().unwrap().to_owned()).collect();
        assert!(programs.iter().any(|name| name == "true"), "{programs:?}");
        // The script is recorded as what really runs: its interpreter.
        let script = played.record.processes.iter().find(|process| process.argv.iter().any(|arg| arg.as_bytes() == b"of-the-script"));
        let shell = fs::canonicalize("/bin/sh").unwrap();
        assert_eq!(script.expect("the script's process").exe.as_path(), shell);
        let redacted = played.record.processes.iter().any(|process| process.argv.iter().any(|arg| arg.as_bytes() == b"--token=[redacted]"));
        assert!(redacted, "{:?}", played.record.processes);
        let dropped = path_of(&stage.root.join("forbidden/dropped"));
        assert!(played.refused(|act| matches!(act, Act::Exec { path, .. } if *path == dropped)) >= 2, "{:?}", played.record.breaches);
        assert!(played.record.processes.iter().all(|process| process.parent != 0));
    }
}

#[test]
fn tampering_is_refused_in_both_modes() {
    for mode in [Mode::Enforce, Mode::Observe] {
        let played = Stage::new(mode).play("tamperer");
        played.assert_good();
        // Brig's memory and a child's.
        assert!(played.refused(|act| matches!(act, Act::Tamper { call, .. } if call == "process_vm_readv")) == 2);
        assert!(played.refused(|act| matches!(act, Act::Tamper { call, .. } if call == "unshare")) == 3);
        assert!(played.refused(|act| matches!(act, Act::Tamper { call, .. } if call == "prctl" || call == "kcmp")) == 0);
        assert!(played.refused(|act| matches!(act, Act::Tamper { call, .. } if call == "mknod")) == 1);
        // Eight changes, four files with a name and four without, four nodes, three attributes.
        for (what, times) in [("chmod u+s", 8), ("open u+s", 8), ("mknod u+s", 4), ("setxattr", 3)] {
            assert_eq!(played.refused(|act| matches!(act, Act::Tamper { call, .. } if call == what)), times, "{what}");
        }
        assert!(played.refused(|act| matches!(act, Act::Tamper { call, .. } if call == "shmget")) == 1);
        let foreign = if played.output.contains("TOLD int 0x80") { 2 } else { 1 };
        let x86 = cfg!(target_arch = "x86_64");
        assert!(!x86 || played.refused(|act| matches!(act, Act::Tamper { call, .. } if call == "foreign ABI")) == foreign);
    }
}

#[test]
fn a_child_is_looked_at_and_not_changed() {
    for stage in Stage::both(Mode::Enforce) {
        let played = stage.play("parent");
        played.assert_good();
        assert_eq!(played.record.breaches.iter().map(|found| found.count).sum::<u64>(), 3, "{:?}", played.breaches());
        assert!(
            played.record.breaches.iter().all(|found| found.event.breach.as_ref().is_some_and(|breach| breach.rule == Rule::ProcTamper))
        );
    }
}

#[test]
fn signals_are_free_among_the_actors_own_processes_alone() {
    for mode in [Mode::Enforce, Mode::Observe] {
        let stage = Stage::new(mode);
        let played = if mode == Mode::Enforce { stage.play("signaller") } else { stage.play("signaller observed") };
        played.assert_good();
        let to_brig = |act: &Act| matches!(act, Act::Signal { signal, to } if signal == "SIGWINCH" && to.as_bytes() == b"Brig");
        assert!(played.refused(to_brig) >= 4, "{:?}", played.record.breaches);
        assert_eq!(played.refused(|act| matches!(act, Act::Signal { to, .. } if to.as_bytes() == b"every process")), 1);
        assert!(played.record.breaches.iter().all(|found| !matches!(&found.event.act, Act::Signal { signal, .. } if signal == "0")));
        let asked = |act: &Act| matches!(act, Act::Signal { signal, .. } if signal == "0");
        assert!(played.record.behaviours.iter().any(|did| asked(&did.act)));
    }
}

#[test]
fn git_configuration_is_read_without_its_credentials() {
    for stage in Stage::both(Mode::Enforce) {
        let played = stage.play("git");
        played.assert_good();
        assert!(played.record.behaviours.iter().any(|did| did.status == Status::Redacted));
        assert_eq!(played.breaches(), [] as [String; 0]);
    }
}

#[test]
fn a_race_wins_nothing() {
    for stage in Stage::both(Mode::Observe) {
        let played = stage.play("racer");
        played.assert_good();
        // What was read was what was recorded: reads of the secret seen by the actor are in the record.
        let told: u64 = played.told("read the secret").parse().unwrap();
        let secret = path_of(&stage.secret());
        let of_the_secret = |act: &Act| matches!(act, Act::Read { path } if *path == secret);
        let recorded: u64 = played.record.breaches.iter().filter(|found| of_the_secret(&found.event.act)).map(|found| found.count).sum();
        assert_eq!(told, recorded);
    }
}

#[test]
fn what_may_wait_is_opened_by_us_as_well() {
    Stage::both(Mode::Enforce).iter().for_each(|stage| stage.play("waiter").assert_good());
}

/// With `BRIG_FUZZ_SECONDS` for as long as wanted (`scripts/fuzz garbage`).
#[test]
fn garbage_in_registers_is_answered_and_gains_nothing() {
    if garbage::as_nobody("gate::tests::garbage_in_registers_is_answered_and_gains_nothing") {
        return;
    }
    let stage = Stage::new(Mode::Enforce);
    let played = stage.play("garbage");
    assert!(played.good, "{}", played.output);
    let calls: u64 = played.told("calls").parse().unwrap();
    let behaved: u64 = played.record.behaviours.iter().map(|did| did.count).sum();
    let broke: u64 = played.record.breaches.iter().map(|found| found.count).sum();
    assert!(
        calls > 100 && behaved + broke > calls / 20,
        "{calls} calls, {behaved} acts and {broke} breaches: most fail before they mean anything"
    );
    assert_eq!(fs::read(stage.secret()).unwrap(), b"TOKEN=CANARY\n");
    assert_eq!(fs::metadata(stage.secret()).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(fs::read_dir(stage.root.join("forbidden")).unwrap().count(), 1);
    // Its own private network is its own to listen in.
    let alarming =
        |event: &&crate::model::Event| event.breach.as_ref().is_some_and(|breach| breach.severity > crate::model::Severity::Info);
    let events = played.record.breaches.iter().map(|found| &found.event).filter(alarming);
    let done: Vec<_> = events.filter(|event| event.status != Status::Refused).collect();
    assert!(done.is_empty(), "{done:?}");
    // Whatever the rules say: nothing was changed but its own, to which its entries of /proc belong.
    let own_trees = [stage.out(), stage.root.join("tmp"), "/proc/self".into()];
    let own = |path: &crate::model::Hostile| own_trees.iter().any(|tree| path.as_path().starts_with(tree));
    let foreign = |act: &Act| match act {
        Act::Create { path } | Act::Remove { path } | Act::Symlink { path, .. } | Act::Metadata { path, .. } => !own(path),
        Act::Rename { from, to } => !own(from) || !own(to),
        Act::Link { to, .. } => !own(to),
        Act::Write { path } => !own(path) && path.as_bytes() != b"/dev/null",
        Act::Signal { signal, .. } => signal != "0",
        Act::Tamper { .. } => true,
        _ => false,
    };
    let changed: Vec<_> = played.record.behaviours.iter().filter(|did| did.status != Status::Refused && foreign(&did.act)).collect();
    assert!(changed.is_empty(), "{changed:?}");
}

#[test]
fn whoever_a_root_has_become_gets_no_more_than_that() {
    // Nobody else can become somebody.
    if !nix::unistd::geteuid().is_root() {
        return;
    }
    for stage in Stage::both(Mode::Enforce) {
        fs::set_permissions(&stage.root, fs::Permissions::from_mode(0o755)).unwrap();
        stage.play("someone").assert_good();
    }
}

#[test]
fn survivors_are_known_until_they_are_gone() {
    let stage = Stage::new(Mode::Enforce);
    let played = stage.play("daemon");
    played.assert_good();
    assert!(played.alive_after.iter().any(|one| !one.pids.is_empty()));
}
