//! Somebody else's lock of behaviours out of a package, as cargo has fetched it: from a registry in a directory, and from a git repository. It counts in the very run
//! in which cargo first fetches it, and a file that is another one than was pinned vouches for nobody.

use std::fs;
use std::path::PathBuf;

use crate::finding::expect_silence;
use crate::habits::done;
use crate::place::{Place, toolchain};
use crate::run::{Outcome, bare, guarded};
use crate::who::Who;

const CI: &[&str] = &["--policy", "ci"];

struct Stage {
    place: Place,
    /// What others have accepted.
    theirs: String,
}

impl Stage {
    /// The packages of the fixture were accepted by somebody; here nothing is, but that their lock counts.
    fn new(who: Who) -> Stage {
        let place = Place::new("vendored", who);
        let stage = Stage { place, theirs: String::new() };
        stage.run(&[], &["build", "--offline"], "exec").exits(0);
        stage.brig(&["baseline", "accept"]).exits(0);
        let theirs = fs::read_to_string(stage.own()).unwrap();
        stage.place.write(&stage.own(), "brig-lock 2\n");
        Stage { theirs, ..stage }
    }

    fn own(&self) -> PathBuf {
        self.place.workspace().join("brig.lock")
    }

    fn policy(&self, more: &str) {
        self.place.write(&self.place.workspace().join("brig.toml"), &format!("version = 1\n[imports.ours]\npackage = \"locks\"\n{more}"));
    }

    fn run(&self, options: &[&str], args: &[&str], acts: &str) -> Outcome {
        let kept = self.place.path("home/kept");
        self.place.clean();
        let outcome = guarded(&self.place, options, args).env("ZOO_ACTS", acts).compared().go();
        fs::create_dir_all(&kept).unwrap();
        fs::copy(self.place.path("report/report.json"), kept.join("report.json")).ok();
        outcome
    }

    fn build(&self, options: &[&str]) -> Outcome {
        self.run(options, &["build"], "exec")
    }

    fn brig(&self, words: &[&str]) -> Outcome {
        let report = self.place.path("home/kept");
        bare(&self.place, &[&["--report-dir", report.to_str().unwrap()], words].concat()).go()
    }

    /// A package with this lock in it.
    fn package(&self, dir: &str, version: &str, lock: &str) -> PathBuf {
        let dir = self.place.path(dir);
        let manifest = format!(
            "[package]\nname = \"locks\"\nversion = \"{version}\"\nedition = \"2024\"\ndescription = \"locks\"\nlicense = \"MIT\"\n"
        );
        self.place.write(&dir.join("Cargo.toml"), &manifest);
        self.place.write(&dir.join("src/lib.rs"), "//! What others have accepted.\n");
        self.place.write(&dir.join("brig.lock"), lock);
        dir
    }

    /// … offered by the registry.
    fn publish(&self, version: &str, lock: &str) {
        let (place, registry) = (&self.place, self.place.path("home/registry"));
        let source = self.package(&format!("home/source/{version}"), version, lock);
        done(place, &source, &[toolchain().join("bin/cargo").to_str().unwrap(), "package", "--offline", "--no-verify", "--quiet"]);
        let name = format!("locks-{version}.crate");
        fs::create_dir_all(&registry).unwrap();
        fs::copy(source.join("target/package").join(&name), registry.join(&name)).unwrap();
        let sum = done(place, &registry, &["sha256sum", &name]);
        let sum = sum.split_whitespace().next().unwrap();
        let line =
            format!("{{\"name\":\"locks\",\"vers\":\"{version}\",\"deps\":[],\"cksum\":\"{sum}\",\"features\":{{}},\"yanked\":false}}\n");
        let (index, entry) = (registry.join("index"), registry.join("index/lo/ck/locks"));
        let before = fs::read_to_string(&entry).unwrap_or_default();
        let dl = format!("file://{}/{{crate}}-{{version}}.crate", registry.display());
        place.write(&index.join("config.json"), &format!("{{\"dl\":{dl:?}}}"));
        place.write(&entry, &(before + &line));
        for args in [&["init", "-q", "-b", "trunk"][..], &["add", "."], &["commit", "-q", "-m", version]] {
            done(place, &index, &[&["git"], args].concat());
        }
    }

    fn depend(&self, on: &str) {
        let (manifest, lock) = (self.place.workspace().join("Cargo.toml"), self.place.workspace().join("Cargo.lock"));
        let text = fs::read_to_string(&manifest).unwrap();
        let text = text.split("[dev-dependencies]").next().unwrap();
        self.place.write(&manifest, &format!("{text}[dev-dependencies]\n{on}\n"));
        fs::remove_file(lock).ok();
    }

    /// Cargo has to fetch all of it again.
    fn forget(&self) {
        ["registry", "git"].iter().for_each(|dir| drop(fs::remove_dir_all(self.place.path("home/.cargo").join(dir))));
    }

    fn unpacked(&self, version: &str) -> PathBuf {
        let mut all = fs::read_dir(self.place.path("home/.cargo/registry/src")).unwrap().flatten();
        all.find_map(|index| Some(index.path().join(format!("locks-{version}"))).filter(|dir| dir.is_dir())).unwrap()
    }
}

fn says(outcome: &Outcome, code: i32, said: &str) {
    assert!(outcome.exits(code).stderr_text().contains(said), "no {said}\n{outcome}");
}

fn vouches(stage: &Stage, what: &str) {
    let vouched = stage.build(CI);
    expect_silence(vouched.exits(0));
    assert!(
        vouched.stderr_text().contains("Vouched by import `ours` for `given` 0.1.0, `given_macro` 0.1.0, `tool` 0.1.0"),
        "{what}\n{vouched}"
    );
    let told = vouched.report()["enforcement"]["vouched"].as_array().unwrap();
    assert!(told.len() == 3 && told.iter().all(|one| one["import"] == "ours"), "{what}\n{vouched}");
}

#[test]
fn out_of_a_registrys_package() {
    for who in Who::all() {
        let stage = Stage::new(who);
        let place = &stage.place;
        stage.publish("0.1.0", &stage.theirs);
        let config = place.workspace().join(".cargo/config.toml");
        let text = fs::read_to_string(&config).unwrap();
        place.write(&config, &format!("{text}\n[registries.zoo]\nindex = \"file://{}\"\n", place.path("home/registry/index").display()));
        stage.depend("locks = { version = \"0.1\", registry = \"zoo\" }");
        stage.policy("");
        // Fetched in this very run, and nobody has said that it is to count.
        let told = stage.build(&[]);
        says(&told, 0, "Not pinned import `ours` of `locks` 0.1.0 is not pinned yet in brig.lock, and vouches for nobody");
        assert_eq!(told.report()["run"]["phases"]["fetched"], true, "{told}");
        stage.build(CI).exits(102);
        let said = stage.brig(&["baseline", "import"]).exits(0).stdout_text();
        assert!(
            said.starts_with("import `ours` is pinned: 2 build scripts and macros, 1 libraries; from `locks` 0.1.0 (registry+file://"),
            "{said}"
        );
        assert!(said.ends_with("), as in the archive that Cargo.lock names by its checksum\n"), "{said}");
        vouches(&stage, "what is here");
        stage.forget();
        vouches(&stage, "what has to be fetched first");
        assert!(stage.brig(&["baseline", "check"]).exits(0).stdout_text().contains("3 of all that ours vouched for"));
        assert!(stage.brig(&["review"]).exits(0).stdout_text().contains("brig.lock holds all"));
        // A denial of one's own wins.
        stage.policy("[[deny]]\ncrate = \"given\"\nreason = \"not here\"\n");
        says(&stage.build(CI), 100, "package `given` 0.1.0 is denied");
        stage.policy("");
        // What cargo has unpacked was changed: it is not the pinned file, and cannot become it.
        let more = format!("{}given build-script does read {{workspace}}/data/one.txt\n", stage.theirs);
        place.write(&stage.unpacked("0.1.0").join("brig.lock"), &more);
        let changed = "Changed import `ours` of `locks` 0.1.0 is not the file that brig.lock pins, and vouches for nobody (`cargo brig baseline import`)";
        says(&stage.build(&[]), 0, changed);
        stage.build(CI).exits(102);
        says(&stage.brig(&["baseline", "import"]), 96, "has been changed since cargo unpacked it: remove that directory, and build again");
        // The next version of it says something else.
        stage.forget();
        stage.publish("0.1.1", &more);
        fs::remove_file(place.workspace().join("Cargo.lock")).unwrap();
        says(&stage.build(&[]), 0, &changed.replace("0.1.0", "0.1.1"));
        stage.build(CI).exits(102);
        assert!(stage.brig(&["baseline", "import"]).exits(0).stdout_text().contains("was another file, and is pinned as it is now: "));
        vouches(&stage, "the next version");
        stage.policy("version = \"=0.1.0\"\n");
        says(&stage.build(CI), 96, "brig.toml:3:11: no `locks` of this build is of that version: there is 0.1.1 (");
        stage.policy("file = \"policy/brig.lock\"\n");
        says(&stage.build(CI), 96, "brig.toml:3:11: `locks` 0.1.1 holds no `policy/brig.lock`");
        // Nobody brings it any more.
        stage.policy("");
        stage.depend("");
        says(&stage.build(&[]), 96, "brig.toml:3:11: this build has no package `locks`: make it a dependency of this workspace");
        says(&stage.brig(&["baseline", "import"]), 96, "this build has no package `locks`");
    }
}

#[test]
fn out_of_a_git_repositorys_package() {
    for who in Who::all() {
        let stage = Stage::new(who);
        let place = &stage.place;
        let source = stage.package("home/source/locks", "0.1.0", &stage.theirs);
        let commit = |what: &str| {
            for args in [&["init", "-q", "-b", "trunk"][..], &["add", "."], &["commit", "-q", "-m", what]] {
                done(place, &source, &[&["git"], args].concat());
            }
        };
        commit("first");
        let on = format!("locks = {{ git = \"file://{}\" }}", source.display());
        stage.depend(&on);
        stage.policy("");
        says(&stage.build(&[]), 0, "Not pinned import `ours` of `locks` 0.1.0");
        let said = stage.brig(&["baseline", "import"]).exits(0).stdout_text();
        assert!(said.contains("; from `locks` 0.1.0 (git+file://") && said.ends_with("), as it lies in cargo's checkout\n"), "{said}");
        stage.forget();
        vouches(&stage, "a git repository");
        // A link out of it is none of its files.
        place.write(&place.path("home/outside.lock"), &stage.theirs);
        fs::remove_file(source.join("brig.lock")).unwrap();
        std::os::unix::fs::symlink(place.path("home/outside.lock"), source.join("brig.lock")).unwrap();
        commit("second");
        stage.depend(&on);
        says(&stage.build(&[]), 96, "brig.toml:3:11: `brig.lock` of `locks` 0.1.0 is a link that leads out of the package");
    }
}
