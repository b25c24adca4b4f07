//! Entry: five sentences, and the one place where errors are rendered.

use std::io::{IsTerminal, Write};
use std::process::ExitCode;

use cargo_brig::cli::{self, Command, Misuse, Typed};
use cargo_brig::model::Exit;
use cargo_brig::report::{escape, json, terminal};

fn main() -> ExitCode {
    let variable = |name: &str| std::env::var_os(name);
    let typed = match cli::parse(std::env::args_os().collect(), &variable) {
        Ok(typed) => typed,
        Err(misuse) => return refuse(&misuse),
    };
    match run(&typed) {
        Ok(exit) => ExitCode::from(exit.code()),
        Err(error) => {
            render(&error.chain().map(ToString::to_string).collect::<Vec<_>>().join(": "), &[]);
            ExitCode::from(Exit::Config.code())
        }
    }
}

/// What needs no build. Everything else is the conductor's.
fn run(typed: &Typed) -> anyhow::Result<Exit> {
    match &typed.command {
        Command::Print(text) => write!(std::io::stdout(), "{text}")?,
        Command::Report { file: Some(file) } => {
            let report = json::load(file)?;
            let outputs = typed.options.outputs();
            for (format, path) in &outputs {
                match path.as_os_str() == "-" {
                    true => format.write(&report, &mut std::io::stdout().lock())?,
                    false => json::Output::prepare(path)?.write(|w| format.write(&report, w))?,
                }
            }
            if outputs.is_empty() {
                terminal::after(&mut std::io::stderr().lock(), &report, file.to_str(), style(typed))?;
            }
        }
        _ => anyhow::bail!("this build of cargo-brig has no conductor"),
    }
    Ok(Exit::Success)
}

fn style(typed: &Typed) -> terminal::Style {
    let color = cli::color::resolve(typed.options.color, &|name| std::env::var_os(name), std::io::stderr().is_terminal());
    terminal::Style { color, verbosity: terminal::Verbosity::from_switches(typed.options.quiet, typed.options.verbose) }
}

fn refuse(misuse: &Misuse) -> ExitCode {
    render(&misuse.message, &misuse.hints);
    ExitCode::from(Exit::Usage.code())
}

/// `error: …` and its `help:` lines. Nothing can be done about a stderr that is gone.
fn render(message: &str, hints: &[String]) {
    let mut stderr = std::io::stderr().lock();
    let _ = writeln!(stderr, "error: {}", escape::ours(message));
    for hint in hints {
        let _ = writeln!(stderr, "  help: {}", escape::ours(hint));
    }
}
