//! Registries that lie on this machine: a local one in place of the public one, an alternative one, one that wants to know who asks.

use std::fs;

use super::{actors, configure, depend, done, executable, give, habit, place};
use crate::place::{Place, toolchain};
use crate::who::Who;

/// Packs the dependency, into an alternative registry in a directory, with `settings` of its index; `app` depends on it. The registry is a git
/// repository, and what it offers lies beside it.
pub fn publish(place: &Place, settings: &str) {
    let line = pack(place, &place.path("home/registry"));
    let index = place.path("home/registry/index");
    let dl = format!("file://{}/{{crate}}-{{version}}.crate", place.path("home/registry").display());
    place.write(&index.join("config.json"), &format!("{{\"dl\":{dl:?}{settings}}}"));
    place.write(&index.join("gi/ve/given"), &line);
    for args in [&["init", "-q", "-b", "trunk"][..], &["add", "."], &["commit", "-q", "-m", "first"]] {
        done(place, &index, &[&["git"], args].concat());
    }
    configure(place, &format!("[registries.zoo]\nindex = \"file://{}\"\n", index.display()));
    depend(place, "given = { version = \"0.1\", registry = \"zoo\" }");
}

/// Packs the dependency into a directory; its line in an index.
pub fn pack(place: &Place, dir: &std::path::Path) -> String {
    let source = place.path("home/source/given");
    give(place, &source, "published");
    let cargo = toolchain().join("bin/cargo");
    done(place, &source, &[cargo.to_str().unwrap(), "package", "--offline", "--no-verify", "--quiet"]);
    let name = "given-0.1.0.crate";
    fs::create_dir_all(dir).unwrap();
    fs::copy(source.join("target/package").join(name), dir.join(name)).unwrap();
    let sum = done(place, dir, &["sha256sum", name]);
    let sum = sum.split_whitespace().next().unwrap();
    format!(
        "{{\"name\":\"given\",\"vers\":\"0.1.0\",\"deps\":[],\"cksum\":\"{sum}\",\"features\":{{}},\"yanked\":false,\"links\":\"given\"}}\n"
    )
}

#[test]
fn a_local_registry_in_place_of_the_public_one() {
    for who in Who::all() {
        let place = place(who);
        let dir = place.path("home/registry");
        let line = pack(&place, &dir);
        place.write(&dir.join("index/gi/ve/given"), &line);
        depend(&place, "given = \"0.1\"");
        configure(&place, &format!("[source.crates-io]\nreplace-with = \"near\"\n[source.near]\nlocal-registry = {dir:?}\n"));
        let brig = habit(&place, "a local registry", &["run"]).forget(place.path("home/.cargo/registry")).says("given published");
        assert!(actors(&brig, "build-script").iter().any(|(name, _)| name == "given"), "{brig}");
    }
}

#[test]
fn an_alternative_registry() {
    for who in Who::all() {
        let place = place(who);
        publish(&place, "");
        let brig = habit(&place, "another registry", &["run"]).forget(place.path("home/.cargo/registry")).says("given published");
        assert!(actors(&brig, "build-script").iter().any(|(name, _)| name == "given"), "{brig}");
        habit(&place, "already there", &["run", "--offline"]).says("given published");
    }
}

/// The registry wants a token, and cargo asks whom the user told it to ask: a program that prints one, which keeps it in a file of its own.
#[test]
fn a_registry_that_wants_a_token_of_a_credential_provider() {
    for who in Who::all() {
        let place = place(who);
        publish(&place, ",\"auth-required\":true");
        place.plant("home/.password-store/zoo", "stored", "");
        let mark = place.path("run/mark");
        let provider = place.path("home/bin/zoo-token");
        let text = format!("#!/bin/sh\necho asked >> {:?}\ncat {:?}\n", mark, place.path("home/.password-store/zoo"));
        executable(&place, &provider, &text);
        place.write(
            &place.path("home/.cargo/config.toml"),
            &format!("[registry]\nglobal-credential-providers = [\"cargo:token-from-stdout {} get\"]\n", provider.display()),
        );
        let brig = habit(&place, "token from stdout", &["run"])
            .forget(place.path("home/.cargo/registry"))
            .with(|run| run.without("CARGO_REGISTRY_TOKEN"))
            .says("given published");
        let asked = fs::read_to_string(&mark).unwrap_or_default().lines().count();
        assert!(asked >= 2, "asked {asked} times\n{brig}");
        let spilled = crate::effect::spilled(&place, &brig);
        assert!(spilled.is_empty(), "{spilled:?}\n{brig}");
    }
}

/// One that speaks cargo's own protocol, under the name that such ones have.
#[test]
fn a_credential_provider_that_speaks_cargos_protocol() {
    for who in Who::all() {
        let place = place(who);
        publish(&place, ",\"auth-required\":true");
        let mark = place.path("run/mark");
        let provider = place.path("home/.cargo/bin/cargo-credential-zoo");
        let answer = "{\"Ok\":{\"kind\":\"get\",\"token\":\"zoo\",\"cache\":\"session\",\"operation_independent\":true}}";
        executable(
            &place,
            &provider,
            &format!("#!/bin/sh\necho '{{\"v\":[1]}}'\nwhile read line; do echo asked >> {mark:?}; echo '{answer}'; done\n"),
        );
        place.write(&place.path("home/.cargo/config.toml"), &format!("[registry]\nglobal-credential-providers = [{provider:?}]\n"));
        let brig = habit(&place, "cargo-credential-zoo", &["run"]).forget(place.path("home/.cargo/registry")).says("given published");
        let asked = fs::read_to_string(&mark).unwrap_or_default().lines().count();
        assert!(asked >= 2, "asked {asked} times\n{brig}");
        assert!(actors(&brig, "tool").len() == 1, "{brig}");
    }
}
