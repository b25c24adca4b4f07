//! Texts with places for values: `key = «shape»`. In: such a text, and where it will stand. Out: the text with new values, each noted as a canary.

use std::io;

use crate::model::Canary;
use crate::suspect::decoys::persona::Persona;
use crate::suspect::decoys::random::Random;
use crate::suspect::decoys::shape::mint;

/// Fills in what stands between guillemets: who it is about, or a value.
///
/// # Errors
/// When a shape is unknown, a guillemet is not closed, or there are no random numbers.
pub fn fill(template: &str, place: &str, persona: &Persona, random: &mut Random, canaries: &mut Vec<Canary>) -> io::Result<String> {
    let mut text = String::with_capacity(template.len() * 2);
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('«') {
        text.push_str(before);
        let (word, after) = after.split_once('»').ok_or_else(|| malformed(place, "a guillemet is not closed"))?;
        rest = after;
        if let Some(name) = persona.word(word) {
            text.push_str(name);
            continue;
        }
        let minted = mint(word, random)?.ok_or_else(|| malformed(place, word))?;
        let name = key(&text).unwrap_or_else(|| word.replace('-', " "));
        canaries.extend(minted.values.into_iter().map(|value| Canary { value, place: place.to_owned(), name: name.clone() }));
        text.push_str(&minted.text);
    }
    text.push_str(rest);
    Ok(text)
}

/// What is said of the value before it, in its line: `token` of `"token": "`, `OPENAI_API_KEY` of `export OPENAI_API_KEY=`.
fn key(before: &str) -> Option<String> {
    let line = before.rsplit('\n').next().unwrap_or_default();
    let named = line.trim_end_matches(['"', '\'', ' ', '[']).strip_suffix(['=', ':'])?;
    let named = named.trim_end_matches(['"', '\'', ' ']);
    let start = named.rfind(|c: char| !(c.is_ascii_alphanumeric() || "_-.".contains(c))).map_or(0, |at| at + 1);
    let name = named[start..].trim_start_matches(['-', '.']);
    (name.len() > 1 && name.contains(|c: char| c.is_ascii_alphabetic())).then(|| name.to_owned())
}

fn malformed(place: &str, what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("the decoy for {place}: {what}"))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn values_are_named_by_their_line() {
        let mut random = Random::new().unwrap();
        let persona = Persona::new(Path::new("/home/ada"), Path::new("/w"), &mut random).unwrap();
        let mut canaries = Vec::new();
        let template = "export A_KEY=«npm»\n{ \"token\": \"«jwt»\" }\nurl: https://x:«password»@y\n«user»«age»";
        let text = fill(template, "~/x", &persona, &mut random, &mut canaries).unwrap();
        let names: Vec<&str> = canaries.iter().map(|canary| canary.name.as_str()).collect();
        assert_eq!(names, ["A_KEY", "token", "password", "age"]);
        assert!(canaries.iter().all(|canary| canary.place == "~/x" && text.contains(&canary.value)));
        assert!(text.contains("\nadaAGE-SECRET-KEY-1"), "{text}");
        assert!(fill("«none»", "~/x", &persona, &mut random, &mut canaries).is_err());
        assert!(fill("«jwt", "~/x", &persona, &mut random, &mut canaries).is_err());
    }
}
