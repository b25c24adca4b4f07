//! The table of words that are to be taken for something they are not: an option given twice, a value that reads like an option, a file of
//! arguments in the place of any word.

use super::*;

const CWD: &str = "/w";
const CARGOS: [&str; 11] = [
    "--crate-name",
    "app",
    "--edition=2024",
    "src/lib.rs",
    "--emit=dep-info,metadata,link",
    "-C",
    "extra-filename=-0a",
    "--out-dir",
    "target/debug/deps",
    "-C",
    "incremental=target/debug/incremental",
];

fn read(words: &[&str], documents: bool) -> Invocation {
    let words: Vec<OsString> = words.iter().map(OsString::from).collect();
    Invocation::read(&words, Path::new(CWD), documents)
}

/// Behind cargo's own words.
fn behind(words: &[&str]) -> Invocation {
    read(&[&CARGOS, words].concat(), false)
}

/// Who is compiled, and where to.
fn cargos(found: &Invocation) -> [Option<&OsStr>; 5] {
    [
        found.root.as_deref().map(Path::as_os_str),
        found.crate_name.as_deref().map(OsStr::new),
        found.extra_filename.as_deref().map(OsStr::new),
        found.out_dir.as_deref().map(Path::as_os_str),
        found.incremental.as_deref().map(Path::as_os_str),
    ]
}

#[test]
fn no_later_word_changes_what_cargo_said() {
    let known = behind(&[]);
    let said = ["/w/src/lib.rs", "app", "-0a", "/w/target/debug/deps", "/w/target/debug/incremental"];
    assert_eq!(cargos(&known), said.map(|text| Some(OsStr::new(text))));
    for words in [
        // Twice, in every spelling.
        &["--crate-name", "victim"][..],
        &["--crate-name=victim"],
        &["-C", "extra-filename=-1b"],
        &["-Cextra-filename=-1b"],
        &["-C", "extra_filename=-1b"],
        &["--codegen", "extra-filename=-1b"],
        &["--codegen=extra_filename=-1b"],
        &["-gCextra-filename=-1b"],
        &["-C", "incremental=/w/target"],
        &["-Cincremental=/w/target"],
        &["--codegen=incremental=/w/target"],
        &["--out-dir", "/w/target"],
        &["--out-dir=/w/target"],
        &["-o", "/w/target/x"],
        &["-o/w/target/x"],
        &["victim/src/lib.rs"],
        &["--", "victim/src/lib.rs", "--crate-name=victim"],
        // Values of other options.
        &["--cfg", "--crate-name=victim"],
        &["--cfg", "-Cextra-filename=-1b"],
        &["--check-cfg", "--out-dir=/w/target"],
        &["--extern", "--out-dir=/w/target"],
        &["--extern", "linker=/w/x"],
        &["--extern=extra-filename=-1b"],
        &["-L", "--out-dir=/w/target"],
        &["-L", "extra-filename=-1b"],
        &["-Lextra-filename=-1b"],
        &["-l", "-Cincremental=/w/target"],
        &["-lincremental=/w/target"],
        &["--print", "--crate-name=victim"],
        &["-A", "--crate-name=victim"],
        &["-Z", "incremental=/w/target"],
        &["--remap-path-prefix", "--out-dir=/w/target"],
        &["--env-set", "--out-dir=/w/target"],
        &["--sysroot", "-Clinker=/w/x"],
        &["--target", "-Clinker=/w/x"],
        // Words of a file, which is not read.
        &["@/w/arguments"],
    ] {
        let found = behind(words);
        assert_eq!(cargos(&found), cargos(&known), "{words:?}");
        assert_eq!((found.linker, found.link_args.len()), (None, 0), "{words:?}");
    }
}

/// What names a place besides is somebody's wish, with the word that says so.
#[test]
fn places_that_are_not_cargos_are_wishes() {
    for (words, wishes) in [
        (&["--out-dir", "x"][..], &[("x", "/w/x")][..]),
        (&["--out-dir=x"], &[("--out-dir=x", "/w/x")]),
        (&["-o", "x"], &[("x", "/w/x")]),
        (&["-ox"], &[("-ox", "/w/x")]),
        (&["-o", "-"], &[]),
        (&["--emit=asm=x"], &[("--emit=asm=x", "/w/x")]),
        (&["--emit", "asm=x,link,llvm-ir=y"], &[("asm=x,link,llvm-ir=y", "/w/x"), ("asm=x,link,llvm-ir=y", "/w/y")]),
        (&["--emit=asm=-"], &[]),
        (&["--emit=asm=@x"], &[("--emit=asm=@x", "/w/@x")]),
        (&["-o@x"], &[("-o@x", "/w/@x")]),
        (&["-Clink-arg=-Wl,-Map=x"], &[("-Clink-arg=-Wl,-Map=x", "/w/x"), ("-Clink-arg=-Wl,-Map=x", "/w/x.tmp*")]),
        (
            &["-C", "link-args=-s -Wl,--cref,-Map,x"],
            &[("link-args=-s -Wl,--cref,-Map,x", "/w/x"), ("link-args=-s -Wl,--cref,-Map,x", "/w/x.tmp*")],
        ),
        (&["-Clink-arg=-Wl,-Map"], &[]),
        (&["-Clink-arg=-Wl,-Mapped=x"], &[]),
        (&["--cfg", "--emit=asm=x"], &[]),
        (&["-L", "-o", "-l", "--emit=asm=x"], &[]),
        (&["@--emit=asm=x"], &[]),
    ] {
        let found: Vec<(OsString, PathBuf)> = wishes.iter().map(|(word, path)| (word.into(), path.into())).collect();
        assert_eq!(behind(words).wishes, found, "{words:?}");
    }
}

/// rustc expands every word that begins with the sign, the value of an option as well; joined to its option it is a value.
#[test]
fn files_of_arguments_are_seen_wherever_they_stand() {
    let options = [
        "--cfg",
        "--check-cfg",
        "--extern",
        "--emit",
        "--print",
        "--crate-name",
        "--crate-type",
        "--out-dir",
        "--sysroot",
        "--target",
        "-C",
        "-L",
        "-l",
        "-o",
        "-A",
        "-Z",
        "--codegen",
        "--cap-lints",
        "--env-set",
    ];
    for option in options {
        for words in [&[option, "@x"][..], &[option, "@x", "--cfg", "y"]] {
            let found = behind(words);
            assert_eq!(found.argument_files, ["@x"], "{words:?}");
            assert_eq!(cargos(&found), cargos(&behind(&[])), "{words:?}");
        }
        let joined = format!("{option}{}@x", if option.starts_with("--") { "=" } else { "" });
        assert_eq!(behind(&[&joined]).argument_files, [""; 0], "{joined}");
    }
    assert_eq!(behind(&["@x", "--", "@y"]).argument_files, ["@x", "@y"]);
    assert_eq!(behind(&["-Clinker=@x", "--extern=a=@x", "-Ldependency=@x"]).argument_files, [""; 0]);
}

#[test]
fn the_linker_is_chosen_by_its_own_option() {
    for (words, linker, link_args) in [
        (&["-C", "linker=/w/ld"][..], Some("/w/ld"), &[][..]),
        (&["-Clinker=a", "-Clinker=b"], Some("b"), &[]),
        (&["-Clinker=@x"], Some("@x"), &[]),
        (&["-C", "@linker=/w/x"], None, &[]),
        (&["--extern", "linker=/w/x", "-L", "linker=/w/x", "-l", "linker=/w/x"], None, &[]),
        (&["--emit=link=linker=/w/x"], None, &[]),
        (&["-Clinker-flavor=ld", "-C", "linker-plugin-lto=/w/x.so"], None, &[]),
        (&["-Clink-arg=-Wl,-plugin,/w/x.so"], None, &["-Wl,-plugin,/w/x.so"]),
        (&["-C", "link_args= -B /w  -s ", "-Clink-arg=-v"], None, &["-B", "/w", "-s", "-v"]),
        (&["-L", "link-arg=x", "--cfg", "link-args=x y"], None, &[]),
    ] {
        let found = behind(words);
        assert_eq!(found.linker.as_deref(), linker.map(Path::new), "{words:?}");
        assert_eq!(found.link_args, link_args, "{words:?}");
    }
}

/// rustdoc's `-o` is a directory, and the first one is cargo's.
#[test]
fn rustdoc_has_another_word_for_its_place() {
    let found = read(&["--crate-name", "app", "src/lib.rs", "-o", "target/doc", "-o", "x", "--out-dir=y", "--theme", "--out-dir=z"], true);
    assert_eq!(found.out_dir.as_deref(), Some(Path::new("/w/target/doc")));
    assert!(found.wishes.iter().all(|(_, path)| path != Path::new("/w/target/doc")) && found.wishes.len() >= 2, "{found:?}");
}
