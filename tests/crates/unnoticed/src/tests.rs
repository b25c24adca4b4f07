use std::fs;
use std::path::Path;
use std::process::Command;

fn package() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn a_native_library_was_found() {
    assert_eq!(super::native(), 7);
}

/// Otherwise a link among embedded files is left out, and the program is another one.
#[test]
fn directories_above_can_be_opened() {
    assert_eq!(super::opened(), package().ancestors().count());
}

#[test]
fn a_command_and_a_note() {
    assert_eq!(super::say("hi").trim(), "hi");
    super::note("unit-note.txt");
}

/// insta, beside a unit test.
#[test]
fn a_new_snapshot() {
    let dir = package().join("src/snapshots");
    fs::create_dir_all(&dir).unwrap();
    fs::write(dir.join("app__tests__x.snap.new"), "hello").unwrap();
    fs::remove_dir_all(dir).unwrap();
}

/// `tempfile` names things so.
#[test]
fn a_place_drawn_at_random() {
    let dir = package().join(".tmpAb3xYz");
    fs::create_dir(&dir).unwrap();
    fs::write(dir.join("a"), "1").unwrap();
    fs::remove_dir_all(dir).unwrap();
    let (drawn, kept) = (package().join("tests/.tmpXy9aBc"), package().join("tests/state.json"));
    fs::write(&drawn, "{}").unwrap();
    fs::rename(drawn, &kept).unwrap();
    fs::remove_file(kept).unwrap();
}

/// trybuild.
#[test]
fn work_in_progress() {
    let dir = package().join("wip");
    fs::create_dir(&dir).unwrap();
    fs::write(dir.join(".gitignore"), "*\n").unwrap();
    fs::write(dir.join("case.stderr"), "error").unwrap();
    fs::remove_dir_all(dir).unwrap();
}

#[test]
fn a_script_of_the_package() {
    let said = Command::new(package().join("scripts/hello.sh")).output().unwrap();
    assert_eq!(said.stdout, b"hello\n", "{said:?}");
}

/// What needs a line of the user's.
mod with_a_line {
    use super::*;

    fn home() -> std::path::PathBuf {
        std::env::var_os("HOME").unwrap().into()
    }

    #[test]
    #[ignore = "asked for by name"]
    fn leaves_a_file_by_its_own_number() {
        let file = home().join(format!("left-{}", std::process::id()));
        fs::write(&file, "x").unwrap();
        fs::remove_file(file).unwrap();
    }

    #[test]
    #[ignore = "asked for by name"]
    fn reads_notes() {
        assert_eq!(fs::read_to_string(home().join("notes/today.md")).unwrap(), "notes\n");
    }

    #[test]
    #[ignore = "asked for by name"]
    fn runs_a_script_elsewhere() {
        let said = Command::new(Path::new(&std::env::var_os("ZOO_TOOLS").unwrap()).join("greet")).output().unwrap();
        assert_eq!(said.stdout, b"greetings\n", "{said:?}");
    }

    #[test]
    #[ignore = "asked for by name"]
    fn generates_a_source() {
        fs::write(package().join("src/generated.rs"), "// made\n").unwrap();
        fs::remove_file(package().join("src/generated.rs")).unwrap();
    }
}
