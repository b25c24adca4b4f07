//! Rights that a program would bring along: none are gained behind the walls (`no_new_privs`).

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::effect::{Before, Effect};
use crate::place::{Place, copy_program};
use crate::run::{cargo, guarded};
use crate::who::Who;

const BUILD: &[&str] = &["build", "--offline"];

/// As root there is nothing to gain, and only root can make such a program: so this is an ordinary user's case, prepared by root.
#[test]
fn a_setuid_program_gives_nobody_its_owners_rights() {
    for who in Who::all().into_iter().filter(|who| !who.is_root() && Who::Myself.is_root()) {
        let place = Place::new("setuid", who);
        let dir = tempfile::Builder::new().prefix("brig-setuid-").permissions(fs::Permissions::from_mode(0o755)).tempdir().unwrap();
        let program = dir.path().join("id");
        copy_program(Path::new("/usr/bin/id"), &program);
        fs::set_permissions(&program, fs::Permissions::from_mode(0o4755)).unwrap();
        // The user allows it by name: what is shown is not that it may not run.
        let policy = format!(
            "version = 1\npolicy = \"mine\"\n[profile.mine]\ninherits = \"default\"\n[profile.mine.build-script]\nextend-exec = [\"{}\"]\n",
            program.display()
        );
        place.write(&place.workspace().join("brig.toml"), &policy);
        let as_root = Effect::Says("zoo: acts as 0.");
        let before = Before::look(&place, &[]);
        let plain = cargo(&place, BUILD).env("ZOO_SETUID", &program).go();
        assert!(as_root.seen(&place, &plain, &before), "plain cargo: it must gain root's rights\n{plain}");
        place.clean();
        let outcome = guarded(&place, &[], BUILD).env("ZOO_SETUID", &program).go();
        assert!(!as_root.seen(&place, &outcome, &before), "{outcome}");
        assert!(Effect::Says("zoo: acts as ").seen(&place, &outcome, &before), "it did not run at all\n{outcome}");
    }
}
