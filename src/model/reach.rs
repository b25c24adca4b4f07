//! How a report is named on a command line: what is printed about it has to find it again when it is pasted. Plain data, and the quoting of a word for a shell.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use super::hostile::Hostile;
use super::subcommand;

/// By default it is the last one of the workspace one stands in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reach {
    /// The directory it was stored in, where that is another one than commands look into.
    pub report_dir: Option<PathBuf>,
    /// The file that exceptions have to be written to, where that is another one than commands find.
    pub config: Option<PathBuf>,
    /// One of the runs that are kept, and not the last.
    pub run: Option<String>,
    /// A file, and no directory's last one.
    pub file: Option<PathBuf>,
}

impl Reach {
    /// `explain F1` as it has to be typed: `cargo brig --report-dir out explain --run 20270201T101010Z-1 F1`.
    pub fn command(&self, words: &str) -> String {
        let (first, rest) = words.split_once(' ').map_or((words, ""), |(first, rest)| (first, rest));
        let file = self.file.as_ref().map(|file| format!(" --report {}", word(file.as_os_str()))).unwrap_or_default();
        let run = self.run.as_ref().map(|run| format!(" --run {}", word(OsStr::new(run)))).unwrap_or_default();
        let rest = if rest.is_empty() { String::new() } else { format!(" {rest}") };
        format!("{} {first}{file}{run}{rest}", self.program(false))
    }

    /// The same of a command that writes to `brig.toml`.
    pub fn writing(&self, words: &str) -> String {
        let plain = Reach { config: None, ..self.clone() };
        match &self.config {
            Some(_) => plain.command(words).replacen(&plain.program(false), &self.program(true), 1),
            None => plain.command(words),
        }
    }

    /// Of one that goes by no report.
    pub fn only_writing(&self, words: &str) -> String {
        Reach { report_dir: None, run: None, file: None, config: self.config.clone() }.writing(words)
    }

    /// A command of cargo's as it was typed, once more with nothing left from before: then the same code runs. None where it cannot be typed so: a credential was
    /// taken out of it, or it brought its target directory along; and where it does not build the workspace: `cargo new` fails the second time, and `publish` is
    /// nobody's to repeat.
    pub fn fresh(&self, command: &[Hostile]) -> Option<String> {
        let (_, words) = command.split_first().filter(|(_, words)| !words.is_empty())?;
        let fit = |word: &Hostile| {
            let text = std::str::from_utf8(word.as_bytes()).ok()?;
            let plain = !text.contains('…') && !text.contains(char::is_control) && !text.starts_with("--target-dir");
            plain.then(|| self::word(OsStr::from_bytes(word.as_bytes())))
        };
        subcommand::of(words.iter().filter_map(|word| std::str::from_utf8(word.as_bytes()).ok()))
            .filter(|name| subcommand::builds(name))?;
        let words = words.iter().map(fit).collect::<Option<Vec<String>>>()?;
        Some(format!("{} --fresh {}", self.program(true), words.join(" ")))
    }

    fn program(&self, writes: bool) -> String {
        let option = |name: &str, path: &Option<PathBuf>| {
            path.as_ref().map(|path| format!(" --{name} {}", word(path.as_os_str()))).unwrap_or_default()
        };
        // A file that is named needs no directory.
        let directory = if self.file.is_some() { String::new() } else { option("report-dir", &self.report_dir) };
        let config = if writes { option("config", &self.config) } else { String::new() };
        format!("cargo brig{directory}{config}")
    }
}

/// One word for a shell, in quotes where it would otherwise be taken for something else.
pub fn word(text: &OsStr) -> String {
    let text = text.to_string_lossy();
    let plain = |c: char| c.is_alphanumeric() || "-_./:=@%+,".contains(c);
    if !text.is_empty() && text.chars().all(plain) { text.into_owned() } else { format!("'{}'", text.replace('\'', r"'\''")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_say_where_the_report_lies() {
        let here = Reach::default();
        assert_eq!(here.command("explain F1"), "cargo brig explain F1");
        assert_eq!(here.writing("allow --from F1 --reason …"), "cargo brig allow --from F1 --reason …");
        let apart = Reach { report_dir: Some("out of here".into()), config: Some("ci/brig.toml".into()), ..Reach::default() };
        assert_eq!(apart.command("explain F1"), "cargo brig --report-dir 'out of here' explain F1");
        assert_eq!(apart.writing("allow --from F1"), "cargo brig --report-dir 'out of here' --config ci/brig.toml allow --from F1");
        assert_eq!(apart.only_writing("allow x@1"), "cargo brig --config ci/brig.toml allow x@1");
        let kept = Reach { run: Some("20270201T101010Z-1".into()), ..apart.clone() };
        assert_eq!(kept.command("explain F1"), "cargo brig --report-dir 'out of here' explain --run 20270201T101010Z-1 F1");
        let file = Reach { file: Some("it's.json".into()), ..apart };
        assert_eq!(file.command("suggest"), r"cargo brig suggest --report 'it'\''s.json'");
    }

    #[test]
    fn the_same_command_once_more() {
        let again = |typed: &[&str], reach: &Reach| reach.fresh(&typed.iter().map(|word| Hostile::from(*word)).collect::<Vec<_>>());
        let here = Reach::default();
        assert_eq!(again(&["cargo", "test", "a b"], &here).as_deref(), Some("cargo brig --fresh test 'a b'"));
        let apart = Reach { report_dir: Some("out".into()), ..Reach::default() };
        assert_eq!(again(&["cargo", "+nightly", "build"], &apart).as_deref(), Some("cargo brig --report-dir out --fresh +nightly build"));
        for typed in [
            &["cargo"][..],
            &["cargo", "run", "--token=…"],
            &["cargo", "build", "--target-dir", "x"],
            &["cargo", "x\u{1b}"],
            &["cargo", "new", "x"],
            &["cargo", "+nightly", "-q", "install", "x"],
            &["cargo", "-v"],
        ] {
            assert_eq!(again(typed, &here), None, "{typed:?}");
        }
    }

    #[test]
    fn one_word_for_a_shell() {
        for (text, expected) in [("a/b-1", "a/b-1"), ("", "''"), ("a b", "'a b'"), ("$(id)", "'$(id)'"), ("a'b", r"'a'\''b'"), ("~", "'~'")]
        {
            assert_eq!(word(OsStr::new(text)), expected);
        }
    }
}
