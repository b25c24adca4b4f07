//! Exceptions as they are written: what is understood, and each complaint with its place.

use super::*;
use crate::plan::config::parse;

const GOOD: &str = "version = 1\n[[allow]]\ncrate = 'x@1.2.3'\nactor = 'build-script'\nconnect = ['h.example:443']\nread = ['{workspace}/.env']\n\
                    reveal = ['DATABASE_URL']\nreason = 'looked at'\nexpires = 2027-02-01\nby = 'me'\n[[deny]]\ncrate = 'y'\nreason = 'phones home'\n";

#[test]
fn an_entry_is_understood() {
    let exceptions = parse("/w/brig.toml", GOOD).unwrap().exceptions;
    let allow = &exceptions.allows[0];
    assert!(allow.whom.is("x", "1.2.3"));
    assert_eq!(allow.until, Day::of(2027, 2, 1));
    let told = Exception {
        whom: "x@1.2.3".into(),
        actor: ActorKind::BuildScript,
        grants: vec!["read {workspace}/.env".into(), "connect h.example:443".into(), "reveal DATABASE_URL".into()],
        reason: "looked at".into(),
        expires: "2027-02-01".into(),
        by: Some("me".into()),
        origin: "brig.toml:2".into(),
        wide: false,
    };
    assert_eq!(*allow.told, told);
    let denial = Denial { name: "y".into(), reason: "phones home".into(), origin: "brig.toml:11".into() };
    assert_eq!(exceptions.denials, [denial]);
    assert_ne!(exceptions.digest("p".into()), Exceptions { allows: Vec::new(), ..exceptions.clone() }.digest("p".into()));
    assert_eq!(Exceptions::default().digest("p".into()), "p");
    let (eve, last, after) = (Day::of(2027, 1, 31), Day::of(2027, 2, 1), Day::of(2027, 2, 2));
    assert_eq!([eve, last, after].map(|today| allow.counts(today.unwrap())), [true, true, false]);
    assert_eq!(exceptions.loosening(last.unwrap()).len(), 3);
    assert_eq!(exceptions.revealed(last.unwrap()), ["DATABASE_URL"]);
    assert!(exceptions.loosening(after.unwrap()).is_empty() && exceptions.revealed(after.unwrap()).is_empty());
}

#[test]
fn every_complaint_has_its_place() {
    for (from, to, said) in [
        (
            "x@1.2.3",
            "x",
            "3:9: `x` names no version, so every later one may do it: write `x@1.2.3`; if all of that is meant, add `wide = true`",
        ),
        ("x@1.2.3", "x@1.2", "3:9: `1.2` is no whole version; a requirement begins with its sign: `^1.2`, `~1.2`"),
        ("'x@1.2.3'", "'pth#x@1.2.3'", "3:9: `pth` is no source: before `#` stands `path`, `vendored`, or a source as Cargo.lock has it, "),
        ("actor", "checksum = '00FF'\nactor", "4:12: `checksum` must be what Cargo.lock has: 64 digits, in lowercase"),
        ("'x@1.2.3'", "1", "3:9: `crate` must be a string, not an integer"),
        ("'build-script'", "'build-scrip'", "4:9: unknown actor `build-scrip`; did you mean `build-script`?"),
        ("'build-script'", "'test'", "4:9: `actor` cannot be `test`: `program` is what tests, benches and examples are"),
        ("'build-script'", "'tool'", "4:9: `actor` cannot be `tool`: what cargo starts for itself is as trusted as cargo and needs none"),
        ("read = ['{workspace}/.env']", "exec = ['{tmp}/x']", "6:9: `{tmp}/x` is not there when the wall is built: `{tmp}`, all of"),
        ("connect", "env", "5:1: `env` cannot be excepted by that name: `reveal` holds the variables that somebody may know"),
        (
            "connect",
            "tamper",
            "5:1: `tamper` cannot be excepted by that name: whoever may reach into other processes could blind the record",
        ),
        ("h.example:443", "h.example", "5:12: `h.example` must be `host:port`, `address:port`, `*` for either part, or `loopback`"),
        ("h.example:443", "*:443", "5:12: `*:443` is too wide: name one host and one port; if all of that is meant, add `wide = true`"),
        (
            "{workspace}/.env",
            "{home}",
            "6:9: `{home}` is too wide: name what was needed, a file or a directory of one purpose; if all of that is meant, add `wide = true`",
        ),
        ("{workspace}/.env", "{worspace}/.env", "6:9: unknown placeholder `{worspace}`; did you mean `workspace`?"),
        ("'DATABASE_URL'", "'DATABASE_*'", "7:11: `DATABASE_*` is no variable's name: `reveal` holds whole names"),
        ("DATABASE_URL", "CARGO_REGISTRY_TOKEN", "7:11: `CARGO_REGISTRY_TOKEN` is cargo's own credential: nobody in a build gets it"),
        ("'looked at'", "' '", "8:10: `reason` says nothing"),
        ("reason = 'looked at'\n", "", "2:1: `[[allow]]` needs `reason`"),
        ("expires = 2027-02-01\n", "", "2:1: `[[allow]]` needs `expires`"),
        ("2027-02-01", "2027-02-01T00:00:00Z", "9:11: `expires` must be a date, `2027-02-01`, or \"never\""),
        ("2027-02-01", "'soon'", "9:11: `expires` must be a date, `2027-02-01`, or \"never\""),
        ("2027-02-01", "2027-02-30", "9:"),
        ("actor", "acto", "4:1: unknown key `acto`; did you mean `actor`?"),
        ("'y'", "'y@1.0.0'", "12:9: `[[deny]]` holds for every version: write `y`"),
        ("'y'", "'path#y'", "12:9: `[[deny]]` holds wherever it comes from: write `y`"),
        ("[[deny]]", "[deny]", "11:1: `deny` must be written as `[[deny]]`"),
        ("reason = 'phones home'\n", "", "11:1: `[[deny]]` needs `reason`"),
    ] {
        assert!(GOOD.contains(from), "{from}");
        let error = parse("brig.toml", &GOOD.replace(from, to)).map(drop).unwrap_err().to_string();
        assert!(error.starts_with(&format!("brig.toml:{said}")), "{from} → {to}: {error}");
    }
}

/// One that names the very code is no more than one that does not, and another's is.
#[test]
fn a_checksum_narrows() {
    let of = |whom: &str, sum: Option<char>| {
        let sum = sum.map(|digit| format!("checksum = '{}'\n", digit.to_string().repeat(64))).unwrap_or_default();
        let exceptions =
            parse("brig.toml", &GOOD.replace("x@1.2.3", whom).replace("actor =", &format!("{sum}actor ="))).unwrap().exceptions;
        (exceptions.digest(String::new()), exceptions.allows[0].clone())
    };
    let ((plain, any), (first, a), (_, b)) = (of("x@1.2.3", None), of("x@1.2.3", Some('a')), of("x@1.2.3", Some('b')));
    assert!(any.covers(&a) && a.covers(&a) && !a.covers(&b) && !a.covers(&any) && plain != first);
    let (_, path) = of("path#x@1.2.3", None);
    assert!(!any.covers(&path) && !path.covers(&any));
    let text = GOOD.replace("x@1.2.3", "path#x@1.2.3").replace("actor =", &format!("checksum = '{}'\nactor =", "a".repeat(64)));
    assert!(parse("brig.toml", &text).unwrap_err().message.contains("of others, Cargo.lock has none"));
}

#[test]
fn what_is_wide_is_said_to_be() {
    for (from, to) in [("x@1.2.3", "x"), ("h.example:443", "*:443"), ("{workspace}/.env", "/")] {
        let text = GOOD.replace(from, to).replace("by = 'me'", "wide = true");
        assert!(parse("brig.toml", &text).unwrap().exceptions.allows[0].told.wide, "{to}");
    }
    // To say so changes nothing where it is not so.
    assert!(!parse("brig.toml", &GOOD.replace("by = 'me'", "wide = true")).unwrap().exceptions.allows[0].told.wide);
}

/// Each has its place, and none is found by reading all that stands before it once more.
#[test]
fn ten_thousand_entries_are_as_many() {
    let entry =
        |n: usize| format!("[[allow]]\ncrate = 'ä{n}@1.2.3'\nactor = 'program'\nread = ['/srv/{n}']\nreason = 'r'\nexpires = 'never'\n");
    let text: String = ["version = 1\n".to_owned()].into_iter().chain((0..10_000).map(entry)).collect();
    let exceptions = parse("brig.toml", &text).unwrap().exceptions;
    assert_eq!((exceptions.allows.len(), &*exceptions.allows[9_999].told.origin), (10_000, "brig.toml:59996"));
    let error = parse("brig.toml", &(text + &entry(1).replace("reason", "reasn"))).unwrap_err();
    assert_eq!((error.line, error.column), (60_006, 1));
    let document = Document { file: "f", text: "a\nbä c\n\nd" };
    let lines = document.lines();
    for offset in [0, 1, 2, 3, 5, 6, 7, 8, 9, 10] {
        assert_eq!(lines.position(&document, offset), document.position(offset), "{offset}");
    }
}

/// A file of ten thousand entries is read at once, and what is wrong in the last of them has its place.
#[test]
fn ten_thousand_entries() {
    let one = |at: usize, list: &str| {
        format!("[[allow]]\ncrate = 'x{at}@1.2.3'\nactor = 'build-script'\n{list} = ['/srv/x/{at}']\nreason = 'r'\nexpires = 'never'\n")
    };
    let all: String = (0..10_000).map(|at| one(at, "read")).collect();
    let began = std::time::Instant::now();
    let exceptions = parse("brig.toml", &format!("version = 1\n{all}")).unwrap().exceptions;
    assert!(began.elapsed() < std::time::Duration::from_secs(20), "{:?}", began.elapsed());
    assert_eq!((exceptions.allows.len(), &*exceptions.allows[9_999].told.origin), (10_000, "brig.toml:59996"));
    let wrong = parse("brig.toml", &format!("version = 1\n{all}{}", one(10_000, "raed"))).map(drop).unwrap_err().to_string();
    assert_eq!(wrong, "brig.toml:60005:1: unknown key `raed`; did you mean `read`?");
}
