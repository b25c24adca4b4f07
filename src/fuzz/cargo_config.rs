//! Target: the copies of configurations in TOML and Mercurial's format that actors get. A canary under any key that is not known to be
//! harmless, in any of TOML's kinds of string, in comments and in URLs, is never in the copy; a copy has a copy, and it is the same.

use super::mutate::mutate;
use super::source::Source;
use super::{Bytes, fuzz, must};
use crate::judge::configuration::copy::copy;
use crate::judge::configuration::format::Format;

const SECRET: &str = "C4nary7f3b91";

/// What a value may be written as.
fn written(source: &mut Source, text: &str) -> String {
    let text = text.replace('§', SECRET);
    match source.below(6) {
        0 => format!("'{text}'"),
        1 => format!("\"\"\"\n{text}\"\"\""),
        2 => format!("'''{text}'''"),
        3 => format!("\"\"\"\\\n   {text}\"\"\""),
        _ => format!("\"{text}\""),
    }
}

/// Keys of cargo's and others', with what may not be told of them.
const SECRETS: [(&str, &str); 16] = [
    ("registries.corp.token", "§"),
    ("registries.corp.secret-key", "§"),
    ("registries.corp.index", "sparse+https://u:§@h.example/"),
    ("registries.corp.credential-provider", "x §"),
    ("registry.token", "§"),
    ("registry.\"to\\u006ben\"", "§"),
    ("http.proxy", "me:§@h:9"),
    ("http.proxy", "http://me:§@h:9"),
    ("http.user-agent", "§"),
    ("env.OPENAI_API_KEY", "§"),
    ("env.DB", "pg://u:§@h/x"),
    ("alias.up", "publish --token §"),
    ("source.m.registry", "https://h/i?key=§"),
    ("target.x.runner", "sshpass -p § ssh h"),
    ("anything.new", "§"),
    ("patch.crates-io.y.git", "https://§@h.example/y"),
];

const HONEST: [(&str, &str); 6] = [
    ("build.target", "x86_64-unknown-linux-gnu"),
    ("net.git-fetch-with-cli", "true"),
    ("env.FOO", "bar"),
    ("registries.other.index", "sparse+https://h.example/"),
    ("source.n.directory", "vendor"),
    ("target.x.linker", "clang"),
];

fn config(source: &mut Source) -> Bytes {
    let mut lines = Vec::new();
    for _ in 0..=source.below(6) {
        let (key, value) = if source.one_in(2) { source.pick(&HONEST) } else { source.pick(&SECRETS) };
        let value = written(source, value);
        // A key that is there twice is no TOML: tell them apart.
        let key = match key.split_once('.') {
            Some((section, rest)) if source.one_in(3) => format!("{section}.{rest}"),
            _ => key.to_owned(),
        };
        match key.rsplit_once('.') {
            Some((table, last)) if source.one_in(3) && !last.contains('"') => lines.push(format!("{table} = {{ {last} = {value} }}")),
            _ => lines.push(format!("{key} = {value}")),
        }
        if source.one_in(3) {
            lines.push(format!("# token = {SECRET}"));
        }
    }
    Bytes(lines.join("\n").into_bytes())
}

fn holds(copy: &[u8]) -> bool {
    [&b"C4nary"[..], b"7f3b91"].iter().any(|part| copy.windows(6).any(|window| window == *part))
}

#[test]
fn no_canary_is_in_any_copy() {
    let formats = [Format::Cargo, Format::Jujutsu, Format::Mercurial];
    let read = std::cell::Cell::new(0);
    fuzz("cargo-config", 3000, config, |config| {
        for format in formats {
            let Some(told) = copy(format, &config.0) else { continue };
            read.set(read.get() + usize::from(format == Format::Cargo));
            must(!holds(&told), || format!("left in {}", told.escape_ascii()))?;
            must(copy(format, &told).as_ref() == Some(&told), || format!("not steady: {}", told.escape_ascii()))?;
        }
        Ok(())
    });
    assert!(read.get() > 500, "hardly any was read: {}", read.get());
}

#[test]
fn damaged_files_have_no_canary_either() {
    let damaged = |source: &mut Source| {
        let (mut bytes, other) = (config(source).0, config(source).0);
        mutate(source, &mut bytes, &other, &[b"\"\"\"", b"'''", b"[", b"]", b"{", b"}", b"=", b"://", b"@", b"#", b"\\", b"\n"]);
        Bytes(bytes)
    };
    // A mutation may make a harmless key of another: only what is whole says anything about values. It must not panic, and stay steady.
    fuzz("cargo-config-any", 1500, damaged, |config| {
        let Some(told) = copy(Format::Cargo, &config.0) else { return Ok(()) };
        must(copy(Format::Cargo, &told).as_ref() == Some(&told), || format!("not steady: {}", told.escape_ascii()))
    });
}
