//! The corpus of evasions: every row of THREATS.md §4 as a small inert crate below `tests/crates/evasions/`, all of them built at once —
//! by plain cargo, where each must really win, and under Brig, where none may, and where the report must name the crate.
//!
//! Fixtures say for themselves what they are and what must be found about them (`[package.metadata.evasion]`, see `fixture`). A `trial` is
//! one run of all of them; `verdict` compares trials; `table` prints what came out, and it must equal the one in the repository. Rows whose
//! proof needs a run of its own are listed in `elsewhere.toml` with the test that holds them.
//!
//! This binary is the test, and Brig with a layer taken away, which tells what the kernel's wall and the gate hold by themselves.
//!
//! usage: cargo test --test evasions -- [--write] [--strict] [--keep] [FIXTURE…]
//!
//! `--strict` is another run: all fixtures under the profile `strict`, as each user. It is no part of `scripts/check`: what came out when it was
//! last asked for is a part of the table that other runs leave as it is.

mod accomplice;
mod elsewhere;
mod fixture;
mod layered;
mod near;
mod seed;
mod table;
mod trial;
mod verdict;

#[path = "../behaviour/control.rs"]
#[allow(dead_code)]
mod control;
#[path = "../behaviour/effect.rs"]
#[allow(dead_code)]
mod effect;
#[path = "../behaviour/finding.rs"]
#[allow(dead_code)]
mod finding;
#[path = "../behaviour/footing.rs"]
#[allow(dead_code)]
mod footing;
#[path = "../behaviour/picture.rs"]
mod picture;
#[path = "../behaviour/place.rs"]
#[allow(dead_code)]
mod place;
#[path = "../behaviour/run.rs"]
#[allow(dead_code)]
mod run;
#[path = "../behaviour/sink.rs"]
#[allow(dead_code)]
mod sink;
#[path = "../behaviour/warm.rs"]
mod warm;
#[path = "../behaviour/who.rs"]
#[allow(dead_code)]
mod who;

use std::process::ExitCode;

use fixture::Fixture;
use seed::Seed;
use trial::{How, Trial};
use who::Who;

fn main() -> ExitCode {
    layered::perhaps();
    let args: Vec<String> = std::env::args().skip(1).collect();
    let asked = |option: &str| args.iter().any(|arg| arg == option);
    let strict = asked("--strict");
    let wanted: Vec<&String> = args.iter().filter(|arg| !arg.starts_with('-')).collect();
    let all = fixture::all();
    let chosen: Vec<&Fixture> =
        all.iter().filter(|one| wanted.is_empty() || wanted.iter().any(|part| one.name.contains(part.as_str()))).collect();

    // Each by its name, with what went wrong.
    let mut tests = vec![("rows_that_other_tests_have", elsewhere::check())];
    let mut failures = Vec::new();
    let mut users = Vec::new();
    let everybody = Who::all();
    let seed = Seed::of(&chosen);
    for (at, who) in everybody.iter().copied().enumerate() {
        // What holds which of them is the same for all, but for what only root can try: measured for the last, who is no root.
        let layers: &[How] = if at + 1 == everybody.len() { &[How::WallOnly, How::GateOnly, How::Neither] } else { &[] };
        let hows: Vec<How> = match strict {
            true => vec![How::Plain, How::Strict],
            false => [&[How::Plain, How::Enforce, How::Observe], layers].concat(),
        };
        let trials: Vec<Trial> = hows.into_iter().map(|how| Trial::run(who, how, &chosen, &seed, asked("--keep"))).collect();
        failures.extend(trials.iter().flat_map(|trial| trial.failures(&chosen)));
        users.push((who, trials));
    }
    tests.push(("trials", failures));
    let verdicts: Vec<_> = chosen.iter().map(|fixture| verdict::of(fixture, &users)).collect();
    tests.extend(verdicts.iter().map(|verdict| (&*verdict.fixture.name, verdict.faults.clone())));
    if strict && wanted.is_empty() {
        tests.push(("the_table_of_strict_is_what_came_out", table::settle_strict(&verdicts, asked("--write"))));
    } else if strict {
        print!("{}", table::strict_rows(&verdicts));
    } else if wanted.is_empty() {
        tests.push(("no_row_is_missing", elsewhere::missing(&all)));
        tests.push(("the_table_is_what_came_out", table::settle(&verdicts, &users, asked("--write"))));
    } else {
        print!("{}", table::rows(&verdicts));
    }
    tell(&tests)
}

/// As the harness of other tests does.
fn tell(tests: &[(&str, Vec<String>)]) -> ExitCode {
    let word = |good| if good { "ok" } else { "FAILED" };
    for (name, faults) in tests {
        println!("test evasions::{name} ... {}", word(faults.is_empty()));
        faults.iter().for_each(|fault| eprintln!("\n{name}: {fault}"));
    }
    let failed = tests.iter().filter(|(_, faults)| !faults.is_empty()).count();
    println!("\ntest result: {}. {} passed; {failed} failed; 0 ignored", word(failed == 0), tests.len() - failed);
    ExitCode::from(u8::from(failed > 0))
}
