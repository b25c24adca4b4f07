//! A file system with commands of its own. On btrfs, whoever has a directory open makes subvolumes and snapshots in it, and writes no path
//! for it. Needs root, `mkfs.btrfs` and a loop device; where one of them is missing, a note says so.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::place::Place;
use crate::run::{cargo, guarded};
use crate::who::Who;

/// A btrfs of its own, unmounted in the end.
struct Volume(PathBuf, tempfile::TempDir);

impl Volume {
    fn mount() -> Result<Volume, String> {
        if !Who::Myself.is_root() {
            return Err("only root mounts".into());
        }
        let dir = tempfile::tempdir().map_err(|error| error.to_string())?;
        let (image, on) = (dir.path().join("image"), dir.path().join("volume"));
        std::fs::create_dir(&on).map_err(|error| error.to_string())?;
        let run = |program: &str, args: &[&Path]| match Command::new(program).args(args).output() {
            Ok(output) if output.status.success() => Ok(()),
            other => Err(format!("{program}: {other:?}")),
        };
        let image_file = std::fs::File::create(&image).map_err(|error| error.to_string())?;
        image_file.set_len(200 << 20).map_err(|error| error.to_string())?;
        run("mkfs.btrfs", &[Path::new("-q"), &image])?;
        run("mount", &[Path::new("-o"), Path::new("loop,user_subvol_rm_allowed"), &image, &on])?;
        Ok(Volume(on, dir))
    }
}

impl Drop for Volume {
    fn drop(&mut self) {
        Command::new("umount").arg(&self.0).status().ok();
    }
}

#[test]
fn no_command_of_a_file_system_is_granted() {
    let volume = match Volume::mount() {
        Ok(volume) => volume,
        Err(why) => {
            writeln!(std::io::stderr(), "note: commands of btrfs were not tried: {why}").ok();
            return;
        }
    };
    std::fs::set_permissions(volume.1.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    for who in Who::all() {
        let mut place = Place::new("volumes", who);
        place.move_to(&volume.0);
        let plain = cargo(&place, &["build", "--offline"]).go();
        assert!(plain.exits(0).stderr_text().contains("subvolume true snapshot true"), "the control\n{plain}");
        assert!(plain.stderr_text().contains("cloned true") && plain.stderr_text().contains("copied true"), "the control\n{plain}");
        place.clean();
        let outcome = guarded(&place, &[], &["build", "--offline"]).go();
        let said = outcome.stderr_text();
        assert!(said.contains("subvolume false snapshot false") && said.contains("cloned false Some(95)"), "{outcome}");
        assert!(said.contains("copied true"), "whoever copies goes on without clones\n{outcome}");
        assert_ne!(outcome.code, 0);
        // One finding about the subvolume; none about the clone, which `cp` asks for by habit.
        let findings = outcome.report()["findings"].as_array().cloned().unwrap_or_default();
        assert!(findings.len() == 1 && findings[0].to_string().contains("proc/tamper"), "{findings:?}");
    }
}
