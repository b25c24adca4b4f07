//! Entry: five sentences, and the one place where errors are rendered.

use std::io::Write;
use std::process::ExitCode;

use cargo_brig::cli::{self, Misuse};
use cargo_brig::gate::net;
use cargo_brig::model::Exit;
use cargo_brig::report::escape;
use cargo_brig::run::{STAGE, Stopped, run, staged};

fn main() -> ExitCode {
    let args: Vec<_> = std::env::args_os().collect();
    if args.get(1).is_some_and(|word| word == net::BROKER_ARGUMENT) {
        net::broker_main();
    }
    if args.get(1).is_some_and(|word| word == STAGE) {
        return end(staged().and_then(|typed| run(&typed)));
    }
    let variables = cli::variables::check(std::env::vars_os().map(|(name, _)| name));
    let typed = match variables.and_then(|()| cli::parse(args, &|name| std::env::var_os(name))) {
        Ok(typed) => typed,
        Err(misuse) => return refuse(&misuse),
    };
    if std::env::var_os("BRIG_LOG").is_some() {
        tracing_subscriber::fmt().with_writer(std::io::stderr).with_max_level(tracing::Level::DEBUG).without_time().init();
    }
    end(run(&typed))
}

fn end(ended: Result<Exit, Stopped>) -> ExitCode {
    match ended {
        Ok(exit) => ExitCode::from(exit.code()),
        Err(stopped) => {
            render(&stopped.to_string(), &[]);
            ExitCode::from(stopped.exit.code())
        }
    }
}

fn refuse(misuse: &Misuse) -> ExitCode {
    render(&misuse.message, &misuse.hints);
    ExitCode::from(Exit::Usage.code())
}

/// `error: …` and its `help:` lines. Nothing can be done about a stderr that is gone.
fn render(message: &str, hints: &[String]) {
    let mut stderr = std::io::stderr().lock();
    let mut lines = message.split("\n  help: ");
    let _ = writeln!(stderr, "error: {}", escape::ours(lines.next().unwrap_or_default()));
    for hint in lines.chain(hints.iter().map(String::as_str)) {
        let _ = writeln!(stderr, "  help: {}", escape::ours(hint));
    }
}
