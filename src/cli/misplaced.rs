//! What was handed to cargo and was likely meant for us: an option of ours behind the cargo subcommand, a command of ours misspelt. In: cargo's
//! arguments, as typed. Out: a line of help for a cargo that did not understand them. Before it has failed nobody can know: subcommands of others
//! have options and names of their own.

use super::arguments::grammar;
use crate::model::Hostile;
use crate::plan::document::distance;

/// Cargo has options of these names, too.
const CARGOS: [&str; 6] = ["color", "config", "help", "quiet", "verbose", "version"];

pub fn hint(args: &[Hostile]) -> Option<String> {
    let ours = grammar();
    let args: Vec<&str> = args.iter().map_while(|word| std::str::from_utf8(word.as_bytes()).ok()).collect();
    let word = *args.first()?;
    for (at, typed) in args.iter().enumerate().skip(1).take_while(|(_, typed)| **typed != "--") {
        let Some(typed) = typed.strip_prefix("--") else { continue };
        let (name, value) = typed.split_once('=').map_or((typed, None), |(name, value)| (name, Some(value)));
        let Some(option) = ours.get_arguments().find(|option| option.get_long() == Some(name) && !CARGOS.contains(&name)) else { continue };
        let value = value.or_else(|| args.get(at + 1).copied()).filter(|_| option.get_action().takes_values());
        let value = value.map(|value| format!(" {value}")).unwrap_or_default();
        return Some(format!("`--{name}` is Brig's: it goes before the subcommand, `cargo brig --{name}{value} {word}`"));
    }
    let near =
        ours.get_subcommands().map(|command| command.get_name()).find(|name| (1..=word.len() / 3).contains(&distance(word, name)))?;
    Some(format!("did you mean `cargo brig {near}`?"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cargo_cannot_know() {
        for (typed, expected) in [
            ("build --policy ci", Some("`--policy` is Brig's: it goes before the subcommand, `cargo brig --policy ci build`")),
            (
                "build --release --mode=observe",
                Some("`--mode` is Brig's: it goes before the subcommand, `cargo brig --mode observe build`"),
            ),
            ("test --fresh -p app", Some("`--fresh` is Brig's: it goes before the subcommand, `cargo brig --fresh test`")),
            ("build --timeout", Some("`--timeout` is Brig's: it goes before the subcommand, `cargo brig --timeout build`")),
            ("sugest", Some("did you mean `cargo brig suggest`?")),
            ("basline check", Some("did you mean `cargo brig baseline`?")),
            ("reprot", Some("did you mean `cargo brig report`?")),
            ("run -- --policy ci", None),
            ("build --config net.offline=true --color never --quiet", None),
            // Cargo's own, close to ours.
            ("info nosuch", None),
            ("fix", None),
            ("doc", None),
            ("remove", None),
            ("", None),
        ] {
            let args: Vec<Hostile> = typed.split_whitespace().map(Hostile::from).collect();
            assert_eq!(hint(&args).as_deref(), expected, "{typed}");
        }
    }
}
