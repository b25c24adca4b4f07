//! Brig with a layer taken away. The shipped program has no such switch: this is another program, linked with the same library.

use std::path::Path;
use std::process::exit;

use cargo_brig::cli;
use cargo_brig::gate::net;
use cargo_brig::run::{Layers, run_behind};

use crate::place::{Place, reachable};
use crate::run::{self, Run};

const WORD: &str = "as-brig-with";

/// Becomes that Brig, or the broker of its sockets, when called as such.
pub fn perhaps() {
    let mut args: Vec<_> = std::env::args_os().collect();
    let Some(first) = args.get(1).and_then(|word| word.to_str()) else { return };
    if first == net::BROKER_ARGUMENT {
        net::broker_main();
    }
    if first != WORD {
        return;
    }
    let layers = match args.get(2).and_then(|word| word.to_str()) {
        Some("wall") => Layers { wall: true, gate: false },
        Some("gate") => Layers { wall: false, gate: true },
        _ => Layers { wall: false, gate: false },
    };
    args.drain(1..3);
    let typed = cli::parse(args, &|name| std::env::var_os(name)).unwrap_or_else(|misuse| panic!("{misuse:?}"));
    match run_behind(&typed, layers) {
        Ok(code) => exit(code.code().into()),
        Err(stopped) => {
            eprintln!("error: {stopped}");
            exit(stopped.exit.code().into());
        }
    }
}

/// Runs it in a place.
pub fn guarded<'a>(place: &'a Place, layers: &str, args: &[&str]) -> Run<'a> {
    let program = reachable(Path::new(&std::env::current_exe().expect("find this program")));
    let report = place.path("report");
    let own = [WORD, layers, "--report-dir", report.to_str().expect("a place in UTF-8")];
    run::program(place, program.as_os_str(), &[&own, args].concat())
}
