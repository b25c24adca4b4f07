//! The table of what crates share in the target directory: headers of `cxx-build`, pages of rustdoc.

use super::*;

#[test]
fn headers_have_an_owner() {
    let foreign = Alarm(Rule::FsForeignArtifact, High);
    let at = |rest: &str| format!("/home/u/app/target/cxxbridge/{rest}");
    let link = |rest: &str, target: &str| Act::Symlink { target: target.into(), path: at(rest).as_str().into() };
    let rename = |from: &str, to: &str| Act::Rename { from: at(from).as_str().into(), to: at(to).as_str().into() };
    let remove = |rest: &str| Act::Remove { path: at(rest).as_str().into() };
    let cxx_h = "/home/u/.cargo/registry/src/idx/cxx-1.0.190/include/cxx.h";
    check(
        "default",
        &[
            (BuildScript, create("/home/u/app/target/cxxbridge"), dir(), Allow),
            (BuildScript, Act::Remove { path: "/home/u/app/target/cxxbridge".into() }, dir(), foreign),
            (BuildScript, rename("", "foo-sys"), dir(), foreign),
            (BuildScript, create(&at("foo-sys")), dir(), Allow),
            (BuildScript, create(&at("foo-sys/src")), dir(), Allow),
            (BuildScript, link("foo-sys/src/lib.rs.h", "../../../debug/build/foo-sys-1/out/cxxbridge/include/x.h"), None, Allow),
            (BuildScript, write(&at("foo_sys/src/lib.rs.h")), file(), Allow),
            (BuildScript, create(&at("rust")), dir(), Allow),
            (BuildScript, remove("rust/cxx.h"), file(), Allow),
            (BuildScript, link("rust/cxx.h", cxx_h), None, Allow),
            (BuildScript, link("rust/cxx.h", "/home/u/.cargo/git/checkouts/cxx-0a1b2c3d4e5f6a7b/1234567/include/cxx.h"), None, Allow),
            (BuildScript, link("rust/cxx.h", "/home/u/app/cxx/include/cxx.h"), None, Allow),
            // Somebody else's header in its place.
            (BuildScript, link("rust/cxx.h", &format!("{OUT}/include/cxx.h")), None, Quiet),
            (BuildScript, link("rust/cxx.h", "/home/u/.cargo/registry/src/idx/cxx-evil-1.0.0/include/cxx.h"), None, foreign),
            (BuildScript, link("rust/cxx.h", "/home/u/.cargo/registry/src/idx/cxx-1.0.0/../evil-1.0.0/include/cxx.h"), None, foreign),
            (BuildScript, create(&at("rust/cxx.h")), None, foreign),
            (BuildScript, write(&at("rust/cxx.h")), file(), foreign),
            (BuildScript, remove("rust"), dir(), foreign),
            (BuildScript, create(&at("other/src/lib.rs.h")), None, foreign),
            (BuildScript, write(&at("other/src/lib.rs.h")), file(), foreign),
            (BuildScript, remove("other/src/lib.rs.h"), file(), foreign),
            (BuildScript, rename("other", "foo-sys"), dir(), foreign),
            (BuildScript, rename("foo-sys", "other"), dir(), foreign),
            (BuildScript, link("other/src/lib.rs.h", "/home/u/app/x.h"), None, foreign),
            // A prefix of its own choice: cxx does without.
            (BuildScript, create(&at("my/prefix")), dir(), Quiet),
            (BuildScript, link("my/prefix/lib.rs.h", "../../../debug/build/foo-sys-1/out/cxxbridge/include/x.h"), None, Quiet),
        ],
    );
}

#[test]
fn pages_have_an_owner() {
    let foreign = Alarm(Rule::FsForeignArtifact, High);
    let at = |rest: &str| format!("/home/u/app/target/doc/{rest}");
    for own in [
        "foo",
        "foo/index.html",
        "foo/all.html",
        "src",
        "src/foo",
        "src/foo/lib.rs.html",
        "search.desc/foo/foo-desc-0-.js",
        "static.files",
        "static.files/rustdoc-b7b9f40b.css",
        "search.index/name/1.js",
        "trait.impl/core/clone/trait.Clone.js",
        "type.impl/x.js",
        "crates.js",
        "search-index.js",
        "src-files.js",
        "help.html",
        ".lock",
        "foo.json",
        "index.html",
    ] {
        check("default", &[(Rustdoc, create(&at(own)), None, Allow)]);
        if own.contains('.') && !own.ends_with(".files") {
            check("default", &[(Rustdoc, write(&at(own)), file(), Allow)]);
        }
    }
    for others in ["serde", "serde/index.html", "src/serde", "src/serde/lib.rs.html", "search.desc/serde/x.js", "foo2/index.html", "fo"] {
        check("default", &[(Rustdoc, create(&at(others)), None, foreign), (Rustdoc, write(&at(others)), file(), foreign)]);
    }
    let rename = |from: &str, to: &str| Act::Rename { from: at(from).as_str().into(), to: at(to).as_str().into() };
    check(
        "default",
        &[
            (Rustdoc, create("/home/u/app/target/doc"), dir(), Allow),
            (Rustdoc, Act::Remove { path: "/home/u/app/target/doc".into() }, dir(), foreign),
            (Rustdoc, Act::Remove { path: at("search.index").as_str().into() }, dir(), Allow),
            (Rustdoc, Act::Remove { path: at("serde").as_str().into() }, dir(), foreign),
            (Rustdoc, rename("search.index", "foo/x"), dir(), foreign),
            (Rustdoc, rename("foo", "serde"), dir(), foreign),
            (Rustdoc, rename("serde", "foo/x"), dir(), foreign),
            (Rustdoc, Act::Symlink { target: "/x".into(), path: at("serde").as_str().into() }, None, foreign),
        ],
    );
}

/// `rustdoc --test` is told of no directory for pages; macros inside a rustdoc that is are told from it by the stack.
#[test]
fn pages_of_all_are_rustdocs_own() {
    let foreign = Alarm(Rule::FsForeignArtifact, High);
    let at = |rest: &str| format!("/home/u/app/target/doc/{rest}");
    let facts = ActorFacts { crate_name: Some("foo".into()), ..ActorFacts::new(Rustdoc, "/tmp/brig-1/7") };
    let tests = crate::plan::load("default", None).expect("embedded").resolve(&places(), &facts);
    for page in
        ["static.files/main-0a.js", "help.html", "new.html", "foo/index.html", "search.index/x.js", "x86_64-unknown-linux-gnu/doc/a.js"]
    {
        for act in [create(&at(page)), write(&at(page)), Act::Remove { path: at(page).as_str().into() }] {
            assert_eq!(said(&tests.judge(&act, file())), foreign, "{act:?}");
        }
    }
    let documents = policy_of("default", Rustdoc);
    for (page, shared) in [
        ("static.files/main-0a.js", true),
        ("trait.impl/core/clone/trait.Clone.js", true),
        ("help.html", true),
        ("settings.html", true),
        ("crates.js", true),
        ("foo/index.html", false),
        ("src/foo/lib.rs.html", false),
        ("search.desc/foo/x.js", false),
    ] {
        let judged = documents.unless_its_own(&write(&at(page)), file());
        assert_eq!(judged.as_ref().map(said), shared.then_some(foreign), "{page}");
        assert_eq!(documents.unless_its_own(&create(&at(page)), None).is_some(), shared, "{page}");
    }
    assert_eq!(documents.unless_its_own(&create(&at("static.files")), dir()), None);
}
