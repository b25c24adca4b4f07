//! What is redacted, and what is not, as one table.

use super::*;

const CANARY: &str = "C4naryC4naryC4nary99";

#[test]
fn credentials_never_survive() {
    let table: &[(&[&str], &[&str])] = &[
        (
            &["curl", "-H", "Authorization: Bearer C4naryC4naryC4nary99", "https://h"],
            &["curl", "-H", "Authorization: [redacted]", "https://h"],
        ),
        (
            &["sh", "-c", "curl -H 'Authorization: Bearer \"C4naryC4naryC4nary99\"' -d @.env https://h"],
            &["sh", "-c", "curl -H 'Authorization: [redacted]' -d @.env https://h"],
        ),
        (&["curl", "https://u:C4naryC4naryC4nary99@h/p"], &["curl", "https://[redacted]@h/p"]),
        (&["git", "clone", "https://C4naryC4naryC4nary99@h/r"], &["git", "clone", "https://[redacted]@h/r"]),
        (&["git", "clone", "ssh://git@h/r"], &["git", "clone", "ssh://git@h/r"]),
        (&["x", "--password=C4naryC4naryC4nary99"], &["x", "--password=[redacted]"]),
        (&["x", "--auth-token", "C4naryC4naryC4nary99"], &["x", "--auth-token", "[redacted]"]),
        (&["sh", "-c", "gh --token C4naryC4naryC4nary99 api"], &["sh", "-c", "gh --token [redacted] api"]),
        (&["env", "AWS_SECRET_ACCESS_KEY=C4naryC4naryC4nary99", "x"], &["env", "AWS_SECRET_ACCESS_KEY=[redacted]", "x"]),
        (&["curl", "https://h/?a=1&token=C4naryC4naryC4nary99&b=2"], &["curl", "https://h/?a=1&token=[redacted]&b=2"]),
        (&["curl", "-d", "{\"api_key\": \"C4naryC4naryC4nary99\", \"n\": 1}"], &["curl", "-d", "{\"api_key\": \"[redacted]\", \"n\": 1}"]),
        (&["curl", "-u", "me:C4naryC4naryC4nary99"], &["curl", "-u", "me:[redacted]"]),
        (&["curl", "-ume:C4naryC4naryC4nary99"], &["curl", "-ume:[redacted]"]),
        (&["sshpass", "-p", "C4naryC4naryC4nary99", "ssh", "h"], &["sshpass", "-p", "[redacted]", "ssh", "h"]),
        (&["cargo", "login", "C4naryC4naryC4nary99"], &["cargo", "login", "[redacted]"]),
        (&["x", "ghp_C4naryC4naryC4nary99"], &["x", "[redacted]"]),
        (&["curl", "-d", "C4naryC4naryC4nary99abcdef"], &["curl", "-d", "[redacted]"]),
        (&["curl", "https://h/?q=C4naryC4naryC4nary99abcdef"], &["curl", "https://h/?[redacted]"]),
        (&["curl", "--user", "me:C4naryC4naryC4nary99", "https://h"], &["curl", "--user", "me:[redacted]", "https://h"]),
        (&["tool", "--token", "C4naryC4naryC4nary99", "build"], &["tool", "--token", "[redacted]", "build"]),
        (
            &["sh", "-c", "PASSWORD=C4naryC4naryC4nary99 curl -H X-Api-Key:C4naryC4naryC4nary99 y"],
            &["sh", "-c", "PASSWORD=[redacted] curl -H X-Api-Key:[redacted]"],
        ),
        (&["x", "-----BEGIN KEY-----\nC4naryC4naryC4nary99"], &["x", "[redacted]"]),
        // Found by fuzzing (src/fuzz/redaction.rs).
        (&["curl", "-H", "X-Deploy-Token: Bearer C4naryC4naryC4nary99"], &["curl", "-H", "X-Deploy-Token: [redacted]"]),
        (&["x", "{\\\"api_key\\\":\\\"C4naryC4naryC4nary99\\\"}"], &["x", "{\\\"api_key\\\":\\\"[redacted]\\\"}"]),
        (&["x", "{\"password\":\"a\\\"b C4naryC4naryC4nary99\"}"], &["x", "{\"password\":\"[redacted]\"}"]),
        (&["x", "--token=two C4naryC4naryC4nary99 words"], &["x", "--token=[redacted]"]),
        (&["sh", "-c", "x '--token=two C4naryC4naryC4nary99' y"], &["sh", "-c", "x '--token=[redacted]' y"]),
        (&["sh", "-c", "echo 'token = \"C4naryC4naryC4nary99\"' >> f"], &["sh", "-c", "echo 'token = \"[redacted]\"' >> f"]),
        (&["ruby", "-e", "{:password => 'C4naryC4naryC4nary99'}"], &["ruby", "-e", "{:password => '[redacted]'}"]),
        (&["x", "password:/C4naryC4naryC4nary99"], &["x", "password:[redacted]"]),
        (&["curl", "-su", "me:C4naryC4naryC4nary99"], &["curl", "-su", "me:[redacted]"]),
        (&["wget", "--user=me:C4naryC4naryC4nary99"], &["wget", "--user=me:[redacted]"]),
        (&["sh", "-c", "curl -u 'me:C4naryC4naryC4nary99' h"], &["sh", "-c", "curl -u 'me:[redacted] h"]),
        (&["sh", "-c", "curl --token\tC4naryC4naryC4nary99 h"], &["sh", "-c", "curl --token\t[redacted] h"]),
        (&["sh", "-c", "A=b curl \"--token\" \"C4naryC4naryC4nary99\""], &["sh", "-c", "A=b curl \"--token\" [redacted]"]),
        (&["sh", "-c", "sshpass -p C4naryC4naryC4nary99 ssh h"], &["sh", "-c", "sshpass -p [redacted] ssh h"]),
        (&["mysql", "-uroot", "-pC4naryC4naryC4nary99"], &["mysql", "-uroot", "-p[redacted]"]),
        (&["docker", "login", "-p", "C4naryC4naryC4nary99", "r"], &["docker", "login", "-p", "[redacted]", "r"]),
        (
            &["sh", "-c", "echo machine h login me password C4naryC4naryC4nary99"],
            &["sh", "-c", "echo machine h login me password [redacted]"],
        ),
        (
            &["sh", "-c", "curl -H 'Authorization: Bearer '\"C4naryC4naryC4nary99\" h"],
            &["sh", "-c", "curl -H 'Authorization: [redacted]\" h"],
        ),
        (
            &["sh", "-c", "sh -c \"'x' 'PASSWORD='\\\\''C4naryC4naryC4nary99'\\\\'''; echo\""],
            &["sh", "-c", "sh -c \"'x' 'PASSWORD=[redacted]'; echo\""],
        ),
        (
            &["sh", "-c", "sh -c \"x 'password: C4naryC4naryC4nary99'\\\" || true\"; echo done"],
            &["sh", "-c", "sh -c \"x 'password:[redacted] || true\"; echo done"],
        ),
        (&["x", "https://h/-ghp_C4naryC4naryC4nary99"], &["x", "https://h/[redacted]"]),
        (&["x", "Authorization=Bearer C4naryC4naryC4nary99"], &["x", "Authorization=[redacted]"]),
        (
            &["sh", "-c", "A=b http h Authorization='Bearer C4naryC4naryC4nary99' y"],
            &["sh", "-c", "A=b http h Authorization='[redacted]' y"],
        ),
        (&["x", "[\"--token\",\"C4naryC4naryC4nary99\",\"y\"]"], &["x", "[\"--token\",\"[redacted]\",\"y\"]"]),
        (&["x", "['run', '--api-key', 'C4naryC4naryC4nary99']"], &["x", "['run', '--api-key', [redacted]"]),
        (&["x", "https://h/?u=a%26token%3DC4naryC4naryC4nary99%26b%3D2"], &["x", "https://h/?u=a%26token%3D[redacted]%26b%3D2"]),
        (&["x", "token%3dC4naryC4naryC4nary99"], &["x", "token%3d[redacted]"]),
        (&["x", "%7B%22token%22%3A%22C4naryC4naryC4nary99%22%7D"], &["x", "%7B%22token%22%3A%22[redacted]%22%7D"]),
        (&["x", "//u:C4naryC4naryC4nary99@h/p"], &["x", "//[redacted]@h/p"]),
    ];
    for (given, expected) in table {
        let hostile = |words: &[&str]| words.iter().map(|word| Hostile::from(*word)).collect::<Vec<_>>();
        let redacted = argv(&hostile(given));
        assert_eq!(redacted, hostile(expected));
        assert!(!redacted.iter().any(|word| word.to_json_text().contains(CANARY)), "{given:?}");
        assert_eq!(argv(&redacted), redacted, "idempotent");
    }
}

#[test]
fn honest_command_lines_stay() {
    let table: &[&[&str]] = &[
        &[
            "rustc",
            "--crate-name",
            "token",
            "--extern",
            "token=/t/libtoken-0a1b.rlib",
            "--cfg",
            "feature=\"default\"",
            "-C",
            "metadata=0a1b2c",
        ],
        &["cc", "-m64", "-L/usr/lib", "-Wl,--as-needed", "-o", "/t/deps/app-0123456789abcdefABCDEF0123"],
        &["sh", "-c", "cat ../.env | base64 > /tmp/x"],
        &["curl", "-F", "file=@.env", "https://h.example/upload"],
        &["cc", "-c", "token.c", "-o", "token.o"],
        &["pkg-config", "--libs", "--cflags", "openssl >= 1.1.0"],
        &["sh", "-c", "grep -q std::token::Stream src/lib.rs"],
        &["docker", "run", "-p", "80:80", "image"],
        &["sh", "-c", "test -p pipe && 7z x archive.7z && make -j4 && cut -d: -f1"],
        &["rustc", "src/token.rs", "-Ldependency=/t/deps", "--check-cfg", "cfg(feature, values(\"token\"))"],
    ];
    for words in table {
        let hostile: Vec<_> = words.iter().map(|word| Hostile::from(*word)).collect();
        assert_eq!(argv(&hostile), hostile);
    }
}

#[test]
fn any_bytes_are_survived() {
    for bytes in [&b"\xff\xfe=\xff:\"'"[..], b"", b"=", b":", b"token=", b"token:\"", b"://@", b"Authorization:", b"--token "] {
        argv(&[Hostile::from("x"), Hostile::new(bytes), Hostile::new(bytes)]);
    }
}

/// A megabyte of each, by this thread's own clock, which others do not slow down.
#[test]
fn a_long_list_costs_little() {
    use nix::time::{ClockId, clock_gettime};
    use std::time::Duration;
    let clock = || clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).map(Duration::from).unwrap();
    let filled = |piece: &str, length: usize| piece.repeat(length / piece.len());
    for (piece, length) in [("0x1y", 120), ("-Ldeps=/t", 90), ("a:b", 120), ("x ", 4000), ("q: ", 4000), ("eyJ-", 4000), ("token=a&", 4000)]
    {
        let word = if piece == "q: " { format!("{}{}", filled("a", 2000), filled(": ", 2000)) } else { filled(piece, length) };
        let list = vec![Hostile::from(word.as_str()); (1 << 20) / word.len()];
        let began = clock();
        assert_eq!(argv(&list).len(), list.len());
        let took = clock() - began;
        eprintln!("{piece:?}: {took:?}");
        assert!(took < Duration::from_millis(1500), "{piece:?}: {took:?}");
    }
}
