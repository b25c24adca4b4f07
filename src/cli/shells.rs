//! What a shell and `man` are told of the command line: made from the grammar, so that they know what it knows.

use clap::{Command, CommandFactory};
use clap_complete::Shell;

use super::arguments::{Arguments, grammar};

/// For the program itself, `cargo-brig`: what stands behind `cargo` is completed by cargo's own script, which knows no subcommands of others.
pub fn completions(shell: Shell) -> String {
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "cargo-brig", &mut text);
    String::from_utf8_lossy(&text).into_owned()
}

/// The page of a command, `baseline accept`, or of all of it. None where there is no such command.
pub fn page(words: &[String]) -> Option<String> {
    let whole = grammar();
    let found = words.iter().try_fold(&whole, |command: &Command, word| command.find_subcommand(word))?;
    let mut text = Vec::new();
    // A writer that is memory does not fail.
    clap_mangen::Man::new(found.clone()).render(&mut text).ok()?;
    Some(String::from_utf8_lossy(&text).into_owned())
}

#[cfg(test)]
mod tests {
    use clap::ValueEnum;

    use super::*;

    #[test]
    fn every_shell_and_every_command() {
        for shell in Shell::value_variants() {
            let text = completions(*shell);
            for word in ["baseline", "prune", "locked-behaviour", "cargo-brig"] {
                assert!(text.contains(word), "{shell}: no {word}");
            }
        }
        let whole = page(&[]).unwrap();
        for part in [".TH cargo-brig 1", "\\-\\-locked\\-behaviour", "at least one violation", "baseline"] {
            assert!(whole.contains(part), "no {part} in\n{whole}");
        }
        let one = page(&["baseline".into(), "accept".into()]).unwrap();
        assert!(one.contains(".TH cargo-brig-baseline-accept 1") && !one.contains("\\-\\-sarif"), "{one}");
        assert_eq!(page(&["nonsense".into()]), None);
        for command in grammar().get_subcommands() {
            assert!(page(&[command.get_name().to_owned()]).is_some());
        }
    }
}
