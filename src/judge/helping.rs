//! Would a line of a policy, or an exception, let an act happen? In: a policy, an act that was refused or only observed. Out: whether naming that act's own object
//! would; where it would not, none is to be offered. The rules themselves are asked, with one line more.

use std::path::{Path, PathBuf};

use crate::judge::policy::Policy;
use crate::judge::rules;
use crate::judge::ruling::Ruling;
use crate::model::act::ObjectKind;
use crate::model::{Act, Breach, Endpoint, Hostile, Object, Rule};

impl Policy {
    /// `breach` is what it broke. Acts that no list is about are left to whoever offers lines: they are not asked here.
    pub fn could_allow(&self, act: &Act, object: Option<Object>, breach: Option<&Breach>) -> bool {
        let known = self.places.second.known_act(act);
        let act = known.as_ref().unwrap_or(act);
        if let (Act::Read { path }, Some(Rule::SecretRead)) = (act, breach.map(|breach| breach.rule)) {
            return self.could_be_named(path, object);
        }
        let mut with = self.clone();
        (with.without, with.for_all, with.granted) = (None, None, Vec::new());
        let tree = |path: &Hostile| PathBuf::from(path.as_path());
        match act {
            Act::Read { path } => with.read.push(tree(path)),
            Act::Write { path } | Act::Create { path } | Act::Remove { path } | Act::Metadata { path, .. } => with.write.push(tree(path)),
            // What is offered for a link is what it lies in.
            Act::Symlink { path, .. } => with.write.extend(tree(path).parent().map(Path::to_owned)),
            Act::Exec { path, .. } => {
                with.exec.push(tree(path));
                with.kernel.exec.push(tree(path));
            }
            Act::Connect { to: Endpoint::UnixPath { path } } | Act::Send { to: Endpoint::UnixPath { path } } => with.unix.push(tree(path)),
            _ => return true,
        }
        let ruling = self.unless_closed(act, rules::rule(&with, act, object));
        matches!(ruling, Ruling::Allow | Ruling::Redact | Ruling::Note(_))
    }

    /// A secret, by an exception: a file, by its own name.
    fn could_be_named(&self, path: &Hostile, object: Option<Object>) -> bool {
        self.secrets.class_of(path.as_bytes()).is_some() && object.is_some_and(|object| object.kind == ObjectKind::File)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judge::excepted::tests::plain;
    use crate::model::Mode;

    fn policy() -> Policy {
        let write = vec!["/w/target/out".into(), "/w/target/cxxbridge".into()];
        Policy { write, kernel: Default::default(), ..plain(Mode::Enforce) }
    }

    #[test]
    fn a_line_is_worth_what_the_rules_say_of_it() {
        let policy = policy();
        let of_kind = |kind| Some(Object { dev: 1, ino: 1, kind });
        let create = |path: &str| Act::Create { path: path.into() };
        let read = |path: &str| Act::Read { path: path.into() };
        let link = |path: &str| Act::Symlink { target: "/x".into(), path: path.into() };
        for (act, object, helps) in [
            (create("/srv/x"), None, true),
            (create("/w/src/gen.rs"), None, true),
            // A link in the place of a grant's root.
            (link("/w/target/cxxbridge"), None, false),
            (link("/srv/x/y"), None, true),
            (read("/srv/data"), of_kind(ObjectKind::File), true),
            // A secret beats every line of a profile; an exception names it.
            (read("/w/.env"), of_kind(ObjectKind::File), false),
            (Act::Exec { path: "/opt/x/run".into(), argv: vec!["run".into()] }, of_kind(ObjectKind::File), true),
            (Act::Connect { to: Endpoint::UnixPath { path: "/run/db.sock".into() } }, None, true),
        ] {
            assert_eq!(policy.could_allow(&act, object, None), helps, "{act:?}");
        }
        let breach = policy.judge(&read("/w/.env"), of_kind(ObjectKind::File)).breach.unwrap();
        let named = |path: &str, kind| policy.could_allow(&read(path), of_kind(kind), Some(&breach));
        assert!(named("/w/.env", ObjectKind::File) && !named("/w/.env", ObjectKind::Directory));
        // The same file by another name.
        assert!(!named("/w/other", ObjectKind::File));
    }
}
