//! What a repository's own `brig.toml` grants beyond the profile that would be in force without it. In: two profiles. Out: one short
//! phrase per difference, none when the file only tightens. Whoever may write to the repository wrote it, so it is told and never hidden.

use crate::judge::rules::must_be_named;
use crate::model::Mode;
use crate::plan::grants::Line;
use crate::plan::phases::Network;
use crate::plan::profile::Profile;

/// What `profile` lets happen that `reference` does not. Entries are compared as written: a more specific one may be meant to reach what
/// a wider one leaves closed (`curl` beside `{programs}`), so only what stands there word for word is no more.
pub fn beyond(profile: &Profile, reference: &Profile) -> Vec<String> {
    let mut more = Vec::new();
    if profile.mode == Mode::Observe && reference.mode == Mode::Enforce {
        more.push("mode observe: nothing is refused".to_owned());
    }
    for (kind, grants) in &profile.actors {
        let known = reference.grants(*kind).lists();
        for ((list, lines), (_, known)) in grants.lists().into_iter().zip(known) {
            let new = lines.iter().filter(|line| !stands_in(list, &line.text, known));
            more.extend(new.map(|line| format!("{} {list} {}", kind.name(), line.text)));
        }
    }
    for (table, reach) in profile.cargo.tables() {
        let known = reference.cargo.tables().find(|(name, _)| *name == table).map(|(_, known)| known.clone()).unwrap_or_default();
        for ((list, lines), (_, known)) in reach.lists().into_iter().zip(known.lists()) {
            let new = lines.iter().filter(|line| !stands_in(list, &line.text, known));
            more.extend(new.map(|line| format!("{table} {list} {}", line.text)));
        }
    }
    if profile.cargo.network == Network::Always && reference.cargo.network == Network::Fetch {
        more.push("cargo network always: not only while it fetches".to_owned());
    }
    if profile.reviewed && !reference.reviewed {
        more.push("reviewed allows for well-known crates".to_owned());
    }
    if reference.secrets.catalogue && !profile.secrets.catalogue {
        more.push("secrets: a list of its own instead of the catalogue".to_owned());
    }
    more.extend(without(&profile.secrets.except, &reference.secrets.except).map(|glob| format!("not-secrets {glob}")));
    more.extend(without(&reference.secrets.extra, &profile.secrets.extra).map(|glob| format!("no secret any more: {glob}")));
    if reference.environment.catalogue && !profile.environment.catalogue {
        more.push("environment withhold: a list of its own instead of the catalogue".to_owned());
    }
    more.extend(without(&profile.environment.pass, &reference.environment.pass).map(|name| format!("environment pass {name}")));
    let withheld = without(&reference.environment.withhold, &profile.environment.withhold);
    more.extend(withheld.map(|name| format!("withheld no more: {name}")));
    if profile.require.landlock < reference.require.landlock {
        more.push(format!("require landlock {} instead of {}", profile.require.landlock, reference.require.landlock));
    }
    if reference.require.complete && !profile.require.complete {
        more.push("require complete false".to_owned());
    }
    if reference.require.accepted && !profile.require.accepted {
        more.push("require accepted false: code and behaviour that brig.lock does not hold".to_owned());
    }
    more
}

fn stands_in(list: &str, text: &str, known: &[Line]) -> bool {
    let has = |entry: &str| known.iter().any(|line| line.text == entry);
    // `protoc` is installed where all programs are.
    let installed = list == "exec" && !text.contains(['/', '{']) && !must_be_named(text.as_bytes()) && has("{programs}") && has("{path}");
    has(text) || installed || has("{root}") || list == "connect" && has("*:*")
}

fn without<'a>(all: &'a [String], known: &'a [String]) -> impl Iterator<Item = &'a String> {
    all.iter().filter(|entry| !known.contains(entry))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::config::{load_with, parse};

    fn more(name: &str, text: &str, reference: &str) -> Vec<String> {
        let config = parse("brig.toml", &format!("version = 1\n{text}")).unwrap();
        let mut profile = load_with(name, &config, "brig.toml").unwrap();
        profile.mode = config.mode.unwrap_or(profile.mode);
        beyond(&profile, &crate::plan::load(reference, None).unwrap())
    }

    #[test]
    fn what_only_tightens_says_nothing() {
        for (name, text) in [
            ("default", ""),
            ("strict", ""),
            ("ci", ""),
            (
                "mine",
                "[profile.mine]\ninherits = \"strict\"\n[profile.mine.build-script]\nread = [\"{system}\"]\nextend-exec = [\"protoc\"]\n",
            ),
            (
                "mine",
                "[profile.mine]\ninherits = \"default\"\nreviewed = false\nextend-secrets = [\"*.token\"]\nrequire = { landlock = 6, complete = true }\n",
            ),
        ] {
            assert_eq!(more(name, text, "default"), Vec::<String>::new(), "{name}: {text}");
        }
    }

    #[test]
    fn every_way_to_loosen_is_named() {
        let profile = |text: &str| format!("[profile.mine]\ninherits = \"default\"\n{text}");
        for (text, said) in [
            ("mode = \"observe\"\n", "mode observe: nothing is refused"),
            ("not-secrets = [\"*.pem\"]\n", "not-secrets *.pem"),
            ("secrets = [\"*.pem\"]\n", "secrets: a list of its own instead of the catalogue"),
            ("require = { landlock = 1 }\n", "require landlock 1 instead of 2"),
            ("[profile.mine.environment]\nextend-pass = [\"AWS_*\"]\n", "environment pass AWS_*"),
            ("[profile.mine.environment]\nwithhold = []\n", "environment withhold: a list of its own instead of the catalogue"),
            ("[profile.mine.build-script]\nextend-exec = [\"curl\"]\n", "build-script exec curl"),
            ("[profile.mine.build-script]\nextend-exec = [\"sudo\"]\n", "build-script exec sudo"),
            ("[profile.mine.build-script]\nextend-connect = [\"*:443\"]\n", "build-script connect *:443"),
            ("[profile.mine.rustc]\nexec = [\"protoc\"]\n", "rustc exec protoc"),
            ("[profile.mine.rustc]\nextend-write = [\"{workspace}\"]\n", "rustc write {workspace}"),
            ("[profile.mine.program]\nread = [\"{home}\"]\n", "program read {home}"),
            ("[profile.mine.program]\nunix = [\"{root}\"]\n", "program unix {root}"),
        ] {
            assert_eq!(more("mine", &profile(text), "default"), [said], "{text}");
        }
        assert_eq!(more("observe", "", "default").len(), 1);
        assert_eq!(more("default", "mode = \"observe\"\n", "default").len(), 1);
        assert_eq!(
            more("mine", "[profile.mine]\ninherits = \"strict\"\nreviewed = true\n", "strict"),
            ["reviewed allows for well-known crates"]
        );
        // Of the same name as the embedded one, and still another.
        assert_eq!(more("ci", "[profile.ci]\ninherits = \"ci\"\nrequire = { complete = false }\n", "ci"), ["require complete false"]);
        assert!(more("default", "", "strict").iter().any(|line| line == "build-script read {workspace}"));
    }
}
