//! Target: files of variables, well formed in all the ways there are, and as anybody may have left them. What was not named may be in no copy,
//! whatever stands beside it; what was named is whole; a copy of a copy is the same.

use super::source::Source;
use super::{Bytes, fuzz, must};
use crate::judge::configuration::dotenv::copy;

const NAMED: &str = "DATABASE_URL";
const HUSH: &str = "hush";

/// Values as they may be written, `§` where the word is.
const VALUES: [&str; 14] = [
    "§",
    "a§b",
    "\"§\"",
    "'§'",
    "\"a\\\"§\"",
    "\"\\\\\" # §",
    "\"a\nDATABASE_URL=§\nb\"",
    "'a\nDATABASE_URL=§'",
    "'\\' # §",
    "`§\nDATABASE_URL=§`",
    "§ # §",
    "\"§ # §\"",
    "  §",
    "x=§=y",
];

#[derive(Debug)]
struct File {
    text: String,
    /// How often the variable that is named has the word that may be known.
    known: usize,
}

fn file(source: &mut Source) -> File {
    let (mut text, mut known) = (String::new(), 0);
    for _ in 0..source.below(8) {
        let named = source.one_in(4);
        let value = source.pick(&VALUES);
        let name = if named {
            NAMED.to_owned()
        } else {
            source.pick(&["TOKEN", "MY_DATABASE_URL", "DATABASE_URL_2", "database_url", "A.B"]).to_owned()
        };
        let before = source.pick(&["", "", "export ", "# hush\n", "\n", "  ", "\t# DATABASE_URL=hush\n"]);
        let equals = source.pick(&["=", " = ", "\t="]);
        // What stands behind a sign is a comment, and nobody's value.
        let comment = value.find(" # ").filter(|_| !value.starts_with("\"§ #"));
        let (value, behind) = comment.map_or((value, ""), |at| value.split_at(at));
        let word = if named { "known" } else { HUSH };
        known += if named { value.matches('§').count() } else { 0 };
        text.push_str(&format!("{before}{name}{equals}{}{}\n", value.replace('§', word), behind.replace('§', HUSH)));
    }
    File { text, known }
}

#[test]
fn only_what_is_named_is_in_a_copy() {
    fuzz("dotenv", 20_000, file, |file| {
        let told = copy(file.text.as_bytes(), &[NAMED]).ok_or("a file without a fault was not understood")?;
        let told = String::from_utf8(told).map_err(|error| error.to_string())?;
        must(!told.contains(HUSH), || format!("what was not named is in {told:?}"))?;
        must(told.matches("known").count() == file.known, || format!("what was named is not whole in {told:?}"))?;
        must(copy(told.as_bytes(), &[NAMED]).as_deref() == Some(told.as_bytes()), || format!("its copy is another one: {told:?}"))
    });
}

#[test]
fn garbage_is_refused_or_stays_as_it_is() {
    let make = |source: &mut Source| {
        let mut text = file(source).text.into_bytes();
        for _ in 0..source.below(6) {
            let at = source.below(text.len() + 1);
            let piece = source.pick(&[&b"\""[..], b"'", b"`", b"\\", b"\n", b"#", b"=", b" ", b"export ", b"\xff", b"\r\n"]);
            text.splice(at..at, piece.iter().copied());
        }
        Bytes(text)
    };
    fuzz("dotenv-garbage", 20_000, make, |text| {
        let Some(told) = copy(&text.0, &[NAMED]) else { return Ok(()) };
        must(copy(&told, &[NAMED]).as_ref() == Some(&told), || format!("its copy is another one: {:?}", Bytes(told.clone())))
    });
}
