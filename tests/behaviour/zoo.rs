//! The zoo: twenty-eight tricks (THREATS.md §6 and what attacking Brig itself brought up), each a workspace of its own below `tests/crates/`. This table is the specification:
//! what each does under plain cargo, and which finding about whom it must be under Brig, with nothing of it done.

use std::fs;
use std::process::Child;
use std::time::Duration;

use crate::control::Control;
use crate::effect::Before;
use crate::effect::Effect::{self, Leaks, Plants, Reaches, Says, Steals, Touches};
use crate::finding::{Finds, expect, refused};
use crate::place::Place;
use crate::run::{Run, cargo, guarded};
use crate::sink::Door;
use crate::who::Who;

struct Case {
    fixture: &'static str,
    cargo: &'static [&'static str],
    /// What it does when nobody stops it, and what must not happen when somebody does.
    does: &'static [Effect],
    /// What the report must say: rule, package, kind of actor.
    finds: &'static [Finds],
    /// Seconds the act may come after the end of the build.
    late: u64,
    /// Does it need the compiler's incremental state?
    incremental: bool,
    /// Further preparation of the place; a process it returns lives as long as the case.
    prepare: fn(&Place) -> Option<Child>,
}

const CASE: Case = Case { fixture: "", cargo: &["build"], does: &[], finds: &[], late: 0, incremental: false, prepare: |_| None };

const SCRIPT: &[&str] = &["build-script"];
const MACRO: &[&str] = &["proc-macro"];
const COMPILER: &[&str] = &["rustc"];
const PROGRAM: &[&str] = &["program"];

macro_rules! zoo {
    ($($name:ident = $case:expr;)+) => {$(
        mod $name {
            use super::*;

            const THIS: Case = $case;

            #[test]
            fn acts_under_plain_cargo() {
                control(&THIS);
            }

            #[test]
            fn is_stopped_and_named() {
                stopped(&THIS);
            }
        }
    )+};
}

zoo! {
    t01_a_library_steals_when_a_unit_test_calls_it = Case {
        fixture: "01-timeapi-test", cargo: &["test"],
        does: &[Steals(Door::Tcp)],
        // What it would send is not even opened: nobody answers.
        finds: &[refused(&["net/connect"], "app", PROGRAM).blaming("chrono_anchor")],
        ..CASE
    };
    t02_the_same_in_a_build_script = Case {
        fixture: "02-timeapi-build",
        does: &[Steals(Door::Tcp)],
        finds: &[refused(&["exec/downloader"], "time_calibrator", SCRIPT).blaming("build_script_build")],
        ..CASE
    };
    t03_a_dropper_is_fetched_and_started = Case {
        fixture: "03-proc-macro1",
        does: &[Reaches(Door::Tcp), Says("zoo: second stage runs")],
        finds: &[
            refused(&["net/connect"], "proc-macro1", SCRIPT).blaming("build_script_build"),
            refused(&["exec/dropped"], "proc-macro1", SCRIPT).blaming("build_script_build"),
        ],
        ..CASE
    };
    t04_a_shell_nobody_waits_for_sends_keys = Case {
        fixture: "04-sh-unawaited",
        does: &[Steals(Door::Tcp)],
        finds: &[
            refused(&["secret/read"], "build-info", SCRIPT),
            refused(&["exec/downloader"], "build-info", SCRIPT),
            refused(&["secret/then-network"], "build-info", SCRIPT),
        ],
        late: 3,
        ..CASE
    };
    t05_the_compiler_itself_embeds_a_secret = Case {
        fixture: "05-include-str",
        does: &[Leaks],
        finds: &[refused(&["secret/read"], "env-embedder", COMPILER)],
        ..CASE
    };
    t06_a_thread_of_a_macro_works_on_after_it = Case {
        fixture: "06-macro-thread",
        does: &[Steals(Door::Tcp)],
        finds: &[
            refused(&["secret/read"], "nice_derive", MACRO),
            refused(&["net/connect"], "nice_derive", MACRO),
            refused(&["secret/then-network"], "nice_derive", MACRO),
        ],
        ..CASE
    };
    t07_a_macro_acts_while_it_is_loaded = Case {
        fixture: "07-macro-ctor",
        does: &[Leaks],
        finds: &[refused(&["secret/read"], "ctor_macro", MACRO)],
        ..CASE
    };
    t08_a_directive_steers_the_loader_and_the_path = Case {
        fixture: "08-rustc-env",
        does: &[Says("cannot be preloaded"), Plants("zoo-shim-ran")],
        finds: &[refused(&["env/loader"], "preloader", SCRIPT)],
        ..CASE
    };
    t09_results_of_other_crates_are_planted = Case {
        fixture: "09-foreign-artifact",
        does: &[Plants("libzoo_plant.so.1"), Plants("zoo-in-your-out-dir")],
        finds: &[refused(&["fs/foreign-artifact"], "planter", SCRIPT)],
        ..CASE
    };
    t10_sources_in_the_registry_are_edited = Case {
        fixture: "10-registry-edit",
        does: &[Touches("home/.cargo/registry/src/zoo-0/victim-1.0.0/build.rs")],
        finds: &[refused(&["fs/foreign-artifact"], "src-editor", SCRIPT)],
        prepare: |place| {
            place.write(&place.path("home/.cargo/registry/src/zoo-0/victim-1.0.0/build.rs"), "fn main() {}\n");
            None
        },
        ..CASE
    };
    t11_the_compiler_is_overwritten = Case {
        fixture: "11-rustc-overwrite",
        does: &[Touches("home/.rustup/toolchains/zoo/bin/rustc")],
        finds: &[refused(&["fs/persist"], "poisoning-rustc", SCRIPT)],
        prepare: |place| {
            place.write(&place.path("home/.rustup/toolchains/zoo/bin/rustc"), "not really a compiler\n");
            None
        },
        ..CASE
    };
    t12_a_key_is_added_to_authorized_keys = Case {
        fixture: "12-authorized-keys",
        does: &[Touches("home/.ssh/authorized_keys")],
        finds: &[refused(&["fs/persist"], "logs-update", SCRIPT)],
        ..CASE
    };
    t13_hooks_and_cargo_configuration_are_written = Case {
        fixture: "13-git-hooks",
        does: &[Touches("home/code/.git/hooks/post-checkout"), Touches("home/code/.cargo/config.toml")],
        finds: &[refused(&["fs/persist"], "hooker", SCRIPT), refused(&["fs/write-source"], "hooker", SCRIPT)],
        prepare: |place| {
            place.write(&place.workspace().join(".git/hooks/README"), "\n");
            None
        },
        ..CASE
    };
    t14_the_next_step_of_ci_is_steered = Case {
        fixture: "14-github-env",
        does: &[Touches("run/github_env")],
        finds: &[refused(&["ci/command-file"], "env-poker", SCRIPT)],
        prepare: |place| {
            place.write(&place.path("run/github_env"), "");
            None
        },
        ..CASE
    };
    t15_the_memory_of_the_ci_runner_is_searched = Case {
        fixture: "15-runner-memory",
        does: &[Steals(Door::Tcp)],
        finds: &[refused(&["proc/tamper"], "changed-files", SCRIPT)],
        prepare: |place| Some(place.runner_worker()),
        ..CASE
    };
    t16_data_leaves_with_the_first_packet = Case {
        fixture: "16-fastopen",
        does: &[Reaches(Door::Tcp)],
        finds: &[refused(&["net/connect"], "fast-opener", SCRIPT)],
        ..CASE
    };
    t17_names_in_dns_queries_carry_the_data = Case {
        fixture: "17-dns-labels",
        does: &[Reaches(Door::Udp)],
        finds: &[refused(&["net/connect"], "dns-labels", SCRIPT)],
        ..CASE
    };
    t18_agents_are_asked = Case {
        fixture: "18-agents",
        does: &[Reaches(Door::Agent), Reaches(Door::Docker)],
        finds: &[refused(&["ipc/agent"], "agent-caller", SCRIPT)],
        ..CASE
    };
    t19_other_doors_into_the_kernel = Case {
        fixture: "19-kernel-doors",
        does: if cfg!(target_arch = "x86_64") {
            &[Says("zoo: io_uring opens"), Says("zoo: int 0x80 answers")]
        } else {
            &[Says("zoo: io_uring opens")]
        },
        finds: &[refused(&["proc/tamper"], "kernel-doors", SCRIPT)],
        ..CASE
    };
    t20_programs_run_from_memory_and_through_the_loader = Case {
        fixture: "20-memfd-exec",
        does: &[Says("zoo: ran from memory"), Says("zoo: ran through the loader")],
        finds: &[refused(&["exec/dropped"], "memfd-runner", SCRIPT)],
        ..CASE
    };
    t21_a_secret_by_other_names = Case {
        fixture: "21-aliases",
        does: &[
            Says("zoo: hard link CANARY"),
            Says("zoo: symbolic link CANARY"),
            Says("zoo: /proc/self/root CANARY"),
            Says("zoo: reopened CANARY"),
            Says("zoo: relative CANARY"),
        ],
        finds: &[refused(&["secret/read"], "aliaser", SCRIPT)],
        prepare: |place| {
            let link = place.workspace().join("deps/aliaser/notes.txt");
            fs::hard_link(place.path("home/.ssh/id_ed25519"), link).unwrap();
            None
        },
        ..CASE
    };
    t22_the_path_changes_while_it_is_judged = Case {
        fixture: "22-path-race",
        does: &[Leaks],
        finds: &[refused(&["secret/read"], "path-racer", SCRIPT)],
        ..CASE
    };
    t23_a_daemon_outlives_the_build = Case {
        fixture: "23-daemon",
        does: &[Plants("zoo-survived")],
        finds: &[refused(&["proc/survivor"], "daemonizer", SCRIPT)],
        late: 5,
        ..CASE
    };
    t24_the_report_is_forged = Case {
        fixture: "24-forgery", cargo: &["run"],
        does: &[Says("zoo: wrote the hostile name")],
        finds: &[refused(&["fs/write-outside"], "app", PROGRAM)],
        ..CASE
    };
    t25_cargo_within_a_test_is_not_forgotten = Case {
        fixture: "25-nested-cargo", cargo: &["test"],
        does: &[Steals(Door::Tcp)],
        finds: &[refused(&["secret/read"], "app", PROGRAM)],
        ..CASE
    };
    t26_a_second_name_is_written_and_read = Case {
        fixture: "26-second-names",
        does: &[Touches("home/code/src/lib.rs"), Says("zoo: the token CANARY")],
        finds: &[refused(&["secret/read"], "second-namer", SCRIPT)],
        prepare: |place| {
            let text = format!("[http]\n\textraheader = {}-git\n", place.canary);
            place.write(&place.workspace().join(".git/config"), &text);
            None
        },
        ..CASE
    };
    t27_a_macro_plants_where_all_compilers_write = Case {
        fixture: "27-common-directories",
        does: &[Plants("libzoo_plant.so.1"), Plants("zoo-in-your-session")],
        finds: &[refused(&["fs/foreign-artifact"], "planting_macro", MACRO)],
        incremental: true,
        ..CASE
    };
    t28_somebody_listens_on_an_abstract_name = Case {
        fixture: "28-abstract-names",
        does: &[Reaches(Door::Abstract)],
        finds: &[refused(&["ipc/agent"], "abstract-caller", SCRIPT)],
        ..CASE
    };
}

/// The unconfined control: a fixture that does no harm here proves nothing there.
fn control(case: &Case) {
    for who in Who::all() {
        Control::of("zoo", case.fixture, who).unless_won(|| harm(case, who));
    }
}

fn harm(case: &Case, who: Who) {
    let place = place(case, who);
    let _process = Process((case.prepare)(&place));
    let before = Before::look(&place, case.does);
    let outcome = settle(cargo(&place, &arguments(case)), &place).go();
    for effect in case.does {
        let came = effect.comes(&place, &outcome, &before, Duration::from_secs(1 + case.late));
        assert!(came, "as {who:?}, plain cargo: no {effect:?}\n{outcome}");
    }
}

fn stopped(case: &Case) {
    for who in Who::all() {
        let place = place(case, who);
        let _process = Process((case.prepare)(&place));
        let before = Before::look(&place, case.does);
        let outcome = settle(guarded(&place, &[], &arguments(case)), &place).go();
        std::thread::sleep(Duration::from_secs(case.late));
        for effect in case.does {
            assert!(!effect.seen(&place, &outcome, &before), "as {who:?}, under Brig: {effect:?}\n{outcome}");
        }
        let strays = outcome.strays(&place);
        assert!(strays.is_empty(), "as {who:?}: {strays:#?}\n{outcome}");
        expect(&outcome, case.finds);
        outcome.exits(100);
        assert_eq!(outcome.report()["outcome"]["verdict"], "violation", "{outcome}");
    }
}

fn place(case: &Case, who: Who) -> Place {
    let place = Place::new(case.fixture, who);
    if case.incremental { place.incremental() } else { place }
}

fn arguments(case: &Case) -> Vec<&'static str> {
    case.cargo.iter().copied().chain(["--offline"]).collect()
}

fn settle<'a>(run: Run<'a>, place: &Place) -> Run<'a> {
    run.env("GITHUB_ENV", place.path("run/github_env"))
}

/// Ends the process with the case, passed or failed.
pub struct Process(pub Option<Child>);

impl Drop for Process {
    fn drop(&mut self) {
        if let Some(child) = &mut self.0 {
            child.kill().ok();
            child.wait().ok();
        }
    }
}
