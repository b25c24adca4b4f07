//! Stacks and who is named for them.

use super::*;
use crate::report::samples::*;

fn names(packages: &[Package]) -> Vec<&str> {
    packages.iter().map(|package| &*package.name).collect()
}

type Row<'t> = (&'t [&'t str], &'t str, &'t [&'t str], &'t [&'t str]);

#[test]
fn who_is_named_for_the_network() {
    let tests = |stack_of: &[&str]| {
        let crates: Vec<_> = stack_of.iter().map(|name| (*name, None)).collect();
        Parties::of(&material().actors[3], stack(&crates).as_ref(), &Graph)
    };
    // stack, innermost first → who is named for a connection, through what; candidates
    let table: [Row; 8] = [
        (&["http", "chrono_anchor", "app"], "chrono_anchor", &["http"], &[]),
        (&["http", "chrono_anchor"], "chrono_anchor", &["http"], &[]),
        // A runtime between them that knows neither.
        (&["http", "unknown", "quickfetch", "honest", "app"], "honest", &["http"], &[]),
        // Called by the tests themselves.
        (&["http", "app"], "http", &[], &[]),
        // A thread of the library's own.
        (&["http"], "http", &[], &["chrono_anchor", "honest"]),
        (&["chrono_anchor"], "chrono_anchor", &[], &[]),
        // Called back: who does not need the one below handed nothing down.
        (&["chrono_anchor", "honest", "app"], "chrono_anchor", &[], &[]),
        (&["app", "chrono_anchor"], "app", &[], &[]),
    ];
    for (stack, named, through, candidates) in table {
        let parties = tests(stack);
        let (caller, by) = parties.accused(Rule::NetConnect);
        let by: Vec<&str> = by.iter().map(|package| &*package.name).collect();
        assert_eq!((caller.unwrap().name.as_str(), &by[..], &names(&parties.candidates)[..]), (named, through, candidates), "{stack:?}");
        // Everything else is the deed of who did it.
        let first = if named == "app" { "app" } else { stack[0] };
        assert_eq!((parties.accused(Rule::SecretRead).0.unwrap().name.as_str(), parties.sure), (first, true), "{stack:?}");
    }
}

#[test]
fn a_build_script_answers_for_what_it_has_done() {
    let parties = |names: &[(&str, Option<&str>)]| Parties::of(&material().actors[1], stack(names).as_ref(), &Graph);
    let through = parties(&[("http", None), ("build_script_build", None)]);
    assert_eq!(through.accused(Rule::NetDns).0.unwrap().name, "quickfetch-sys");
    assert_eq!(through.accused(Rule::ExecUnexpected).0.unwrap().name, "http");
    assert_eq!(names(&parties(&[("build_script_build", None)]).crates), ["quickfetch-sys"]);
    // No stack, or one that is not conclusive: the actor, and not for sure.
    let unsure = Parties::of(&material().actors[1], None, &Graph);
    assert_eq!((names(&unsure.crates), unsure.sure), (vec!["quickfetch-sys"], false));
}
