//! A workspace of path packages, asked of the real cargo.

use super::*;

/// Members in `ws`, what they need beside it (path dependencies below the root would be members themselves):
/// app → my-mac (macro), lib-dep (library renamed `other_name`, build script); lib-dep → deep; lonely is a member of its own.
fn workspace() -> (tempfile::TempDir, Graph) {
    let dir = tempfile::tempdir().expect("temporary directory");
    let package = |path: &str, version: &str, rest: &str| {
        let name = path.rsplit('/').next().unwrap_or(path);
        let source = dir.path().join(path).join("src");
        std::fs::create_dir_all(&source).expect("made");
        std::fs::write(source.join("lib.rs"), "").expect("written");
        let text = format!("[package]\nname = '{name}'\nversion = '{version}'\nedition = '2021'\n{rest}\n");
        std::fs::write(dir.path().join(path).join("Cargo.toml"), text).expect("written");
    };
    std::fs::create_dir(dir.path().join("ws")).expect("made");
    std::fs::write(dir.path().join("ws/Cargo.toml"), "[workspace]\nmembers = ['app', 'lonely']\nresolver = '2'\n").expect("written");
    package(
        "ws/app",
        "1.0.0",
        "[dependencies]\nmy-mac = { path = '../../my-mac' }\nalias = { package = 'lib-dep', path = '../../lib-dep' }",
    );
    package("my-mac", "0.4.0", "[lib]\nproc-macro = true");
    package(
        "lib-dep",
        "0.1.0",
        "[lib]\nname = 'other_name'\n[dependencies]\ndeep = { path = '../deep', optional = true }\n[features]\ndefault = ['deep']",
    );
    std::fs::write(dir.path().join("lib-dep/build.rs"), "fn main() {}").expect("written");
    package("deep", "2.0.0-rc.1", "");
    package("ws/lonely", "0.0.1", "");
    let manifest = dir.path().join("ws/Cargo.toml").into_os_string();
    let cargo = std::env::var_os("CARGO").map_or("cargo".into(), PathBuf::from);
    let arguments = ["--manifest-path".into(), manifest];
    let graph = Graph::read(Command::new(cargo), &arguments, None).expect("cargo metadata");
    (dir, graph)
}

fn names(packages: &[Package]) -> Vec<&str> {
    packages.iter().map(|p| p.name.as_str()).collect()
}

#[test]
fn a_real_workspace_answers() {
    let (dir, graph) = workspace();
    assert_eq!(graph.why("deep", "2.0.0-rc.1"), ["app 1.0.0", "lib-dep 0.1.0", "deep 2.0.0-rc.1"]);
    assert_eq!(graph.why("app", "1.0.0"), ["app 1.0.0"]);
    assert_eq!(graph.why("deep", "9.9.9"), [] as [&str; 0]);
    assert_eq!(graph.code_at_build().count(), 2);

    assert_eq!(names(&graph.package_of_crate("other_name", None)), ["lib-dep"]);
    assert_eq!(names(&graph.package_of_crate("lib_dep", None)), [] as [&str; 0], "symbols spell the library's name");
    assert_eq!(names(&graph.package_of_crate("build_script_build", graph.package("lib-dep", "0.1.0").as_ref())), ["lib-dep"]);

    let line = graph.lock_location("lib-dep", "0.1.0").expect("in the lock file");
    let number: usize = line.strip_prefix("Cargo.lock:").expect("prefix").parse().expect("number");
    let lock = std::fs::read_to_string(dir.path().join("ws/Cargo.lock")).expect("lock file");
    let lines: Vec<&str> = lock.lines().collect();
    assert_eq!((lines[number - 2], lines[number - 1]), ("name = \"lib-dep\"", "version = \"0.1.0\""));
}

#[test]
fn a_macro_file_is_known_three_ways() {
    let (dir, graph) = workspace();
    let deps = dir.path().join("target/debug/deps");
    std::fs::create_dir_all(&deps).expect("made");
    let object = deps.join("libmy_mac-6d65f9cfa48204c6.so");
    let none = HashMap::new();
    assert_eq!(graph.macro_of_object(&object, &none).map(|p| p.name).as_deref(), Some("my-mac"), "by name");

    std::fs::write(deps.join("my_mac-6d65f9cfa48204c6.d"), "/t/libmy_mac.so: ../deep/src/lib.rs ../deep/src/x.rs\n\n").expect("written");
    assert_eq!(graph.macro_of_object(&object, &none).map(|p| p.name).as_deref(), Some("deep"), "by its sources");

    let registry = "/h/.cargo/registry/src/index-0a/far-mac-1.2.3/src/lib.rs";
    std::fs::write(deps.join("my_mac-6d65f9cfa48204c6.d"), format!("/t/libmy_mac.so: {registry}\n")).expect("written");
    let graph = graph.with_cargo_home(Path::new("/h/.cargo"));
    assert_eq!(graph.macro_of_object(&object, &none).map(|p| (p.name, p.version)), Some(("far-mac".into(), "1.2.3".into())));

    let seen = HashMap::from([("my_mac-6d65f9cfa48204c6".to_owned(), graph.package("lib-dep", "0.1.0").expect("known"))]);
    assert_eq!(graph.macro_of_object(&object, &seen).map(|p| p.name).as_deref(), Some("lib-dep"), "by its compilation");
    assert_eq!(graph.macro_of_object(Path::new("/usr/lib/libc.so.6"), &seen), None);
}

#[test]
fn two_packages_of_one_crate_name_are_told_apart_by_reach() {
    let node = |name: &str, version: &str, needs: &[usize]| Node {
        package: Package { name: name.into(), version: version.into(), source: None, checksum: None, manifest_dir: None },
        crates_io: false,
        macro_root: None,
        roots: vec![],
        script_root: None,
        member: needs.len() == 2,
        build_script: false,
        proc_macro: None,
        library: Some(name.replace('-', "_")),
        others: vec![],
        needs: needs.to_vec(),
    };
    let nodes =
        vec![node("app", "1.0.0", &[1, 2]), node("old-user", "1.0.0", &[3]), node("rand-x", "0.9.0", &[]), node("rand-x", "0.8.0", &[])];
    let graph = Graph { nodes, ..Graph::default() };
    let versions = |near: Option<&str>| -> Vec<String> {
        let near = near.and_then(|name| graph.package(name, "1.0.0"));
        graph.package_of_crate("rand_x", near.as_ref()).into_iter().map(|p| p.version).collect()
    };
    assert_eq!(versions(None), ["0.9.0", "0.8.0"]);
    assert_eq!(versions(Some("old-user")), ["0.8.0"]);
    assert_eq!(versions(Some("app")), ["0.9.0", "0.8.0"]);
    assert_eq!(graph.why("rand-x", "0.8.0"), ["app 1.0.0", "old-user 1.0.0", "rand-x 0.8.0"]);
}

#[test]
fn lock_files_give_lines_and_checksums() {
    let text = "version = 4\n\n[[package]]\nname = \"a\"\nversion = \"1.0.0\"\nsource = \"x\"\nchecksum = \"cc\"\n\n[[package]]\nname = \"b\"\nversion = \"1.0.0\"\n";
    let (lines, checksums) = read_lock(text);
    assert_eq!(lines[&("a".into(), "1.0.0".into())], 5);
    assert_eq!(lines[&("b".into(), "1.0.0".into())], 11);
    assert_eq!(lines.len(), 2);
    // Of two registries, each has its own.
    let other = text.to_owned() + "\n[[package]]\nname = \"a\"\nversion = \"1.0.0\"\nsource = \"y\"\nchecksum = \"dd\"\n";
    let (_, both) = read_lock(&other);
    let of = |source: &str| both.get(&("a".into(), "1.0.0".into(), source.into())).map(String::as_str);
    assert_eq!((checksums.len(), of("x"), of("y"), of("z")), (1, Some("cc"), Some("dd"), None));
}

/// app → m (macro) → gen → syn; evil (macro) of its own; lone needs nothing.
#[test]
fn a_macro_of_the_registry_is_one_with_everything_in_it() {
    let node = |name: &str, needs: &[usize], crates_io: bool| Node {
        package: Package {
            name: name.into(),
            version: "1.0.0".into(),
            source: None,
            checksum: None,
            manifest_dir: Some(format!("/nowhere/{name}").into()),
        },
        crates_io,
        member: name == "app",
        build_script: false,
        proc_macro: ["m", "evil"].contains(&name).then(|| "m".to_owned()),
        macro_root: ["m", "evil"].contains(&name).then(|| format!("/nowhere/{name}/src/lib.rs").into()),
        roots: vec![(name.to_owned(), format!("/nowhere/{name}/src/lib.rs").into())],
        script_root: None,
        library: None,
        others: vec![],
        needs: needs.to_vec(),
    };
    let graph = |change: &dyn Fn(&mut Vec<Node>)| {
        let mut nodes = vec![
            node("app", &[1, 4], false),
            node("m", &[2], true),
            node("gen", &[3], true),
            node("syn", &[], true),
            node("evil", &[3], true),
            node("lone", &[], true),
        ];
        change(&mut nodes);
        Graph { nodes, ..Graph::default() }
    };
    let found = graph(&|_| {}).registered("m", |_, _| true);
    let [only] = &found[..] else { panic!("{found:?}") };
    assert_eq!((only.package.name.as_str(), only.crate_name.as_str()), ("m", "m"));
    let users = ["app", "m", "gen", "syn", "evil", "lone"].map(|name| only.is_needed_by(Path::new(&format!("/nowhere/{name}"))));
    assert_eq!(users, [true, false, false, false, false, false]);
    assert!(only.lies_in(Some(Path::new("/nowhere/m"))) && !only.lies_in(Some(Path::new("/nowhere/evil"))) && !only.lies_in(None));
    for (what, change) in [
        ("from elsewhere", &(|nodes: &mut Vec<Node>| nodes[1].crates_io = false) as &dyn Fn(&mut Vec<Node>)),
        ("a patched dependency", &|nodes| nodes[3].crates_io = false),
        ("no macro", &|nodes| nodes[1].proc_macro = None),
        ("another package compiles its source", &|nodes| nodes[4].roots = nodes[1].roots.clone()),
    ] {
        assert_eq!(graph(change).registered("m", |_, _| true), [], "{what}");
    }
    assert_eq!(graph(&|_| {}).registered("m", |name, _| name != "gen"), [], "a version nobody looked at");
    assert!(graph(&|_| {}).are_all("gen", |version| version == "1.0.0") && !graph(&|_| {}).are_all("gen", |_| false));
    assert!(!graph(&|nodes| nodes[2].crates_io = false).are_all("gen", |_| true));
}

/// The file beside a library says what it was made from; only cargo writes the fingerprint that goes with it.
#[test]
fn a_fresh_macro_is_known_by_what_cargo_keeps() {
    let dir = tempfile::tempdir().expect("temporary directory");
    let at = |name: &str| dir.path().join(name);
    for sub in ["debug/deps", "debug/.fingerprint/m-0123456789abcdef", "debug/.fingerprint/evil-00000000000000ff"] {
        std::fs::create_dir_all(at(sub)).expect("made");
    }
    let root = at("m-1.0.0/src/lib.rs");
    let dep_info = |hash: &str, root: &Path| {
        let library = at(&format!("debug/deps/libm-{hash}.so"));
        std::fs::write(at(&format!("debug/deps/m-{hash}.d")), format!("{}: {}\n", library.display(), root.display())).expect("written");
        library
    };
    let package = Package { name: "m".into(), version: "1.0.0".into(), source: None, checksum: None, manifest_dir: None };
    let node = Node {
        package,
        crates_io: true,
        member: false,
        build_script: false,
        proc_macro: Some("m".into()),
        macro_root: Some(root.clone()),
        roots: vec![("m".to_owned(), root.clone())],
        script_root: None,
        library: None,
        others: vec![],
        needs: vec![],
    };
    let of = |workspace: PathBuf| Graph { nodes: vec![node.clone()], workspace, ..Graph::default() }.registered("m", |_, _| true);
    let found = of(at("elsewhere"));
    let genuine = dep_info("0123456789abcdef", &root);
    assert!(found[0].was_built_as(&genuine));
    // What lies below the workspace is called as from there.
    let called = dep_info("0123456789abcdef", Path::new("m-1.0.0/src/lib.rs"));
    assert!(of(dir.path().to_owned())[0].was_built_as(&called));
    assert!(!found[0].was_built_as(&called), "of another workspace");
    assert!(!of(PathBuf::new())[0].was_built_as(&called), "of a workspace nobody knows");
    assert!(!found[0].was_built_as(&dep_info("00000000000000ff", &root)), "another unit's hash");
    assert!(!found[0].was_built_as(&dep_info("0123456789abcdef", &at("evil/src/lib.rs"))), "another source");
    assert!(!found[0].was_built_as(&at("debug/deps/libm.so")));
}

#[test]
fn ways_lead_through_whom_they_are_to_lead() {
    let node = |name: &str, needs: &[usize]| Node {
        package: Package { name: name.into(), version: "1.0.0".into(), source: None, checksum: None, manifest_dir: None },
        crates_io: false,
        macro_root: None,
        roots: vec![],
        script_root: None,
        member: name == "app",
        build_script: false,
        proc_macro: None,
        library: Some(name.to_owned()),
        others: vec![],
        needs: needs.to_vec(),
    };
    // app → aaa → http, app → thief → between → http, other → http
    let nodes =
        vec![node("app", &[1, 2]), node("aaa", &[4]), node("thief", &[3]), node("between", &[4]), node("http", &[]), node("other", &[4])];
    let graph = Graph { nodes, ..Graph::default() };
    let package = |name: &str| Package { name: name.into(), version: "1.0.0".into(), source: None, checksum: None, manifest_dir: None };
    for (through, way) in [
        ("http", "app aaa http"),
        ("thief http", "app thief between http"),
        ("app thief http", "app thief between http"),
        ("app", "app"),
        // No such way: the shortest.
        ("aaa thief http", "app aaa http"),
        ("unknown http", "app aaa http"),
        ("other", ""),
        ("", ""),
    ] {
        let packages: Vec<Package> = through.split_whitespace().map(package).collect();
        let told = graph.way(&packages).join(" ").replace(" 1.0.0", "");
        assert_eq!(told, way, "{through}");
    }
    assert!(graph.needs(&package("thief"), &package("http")) && !graph.needs(&package("http"), &package("thief")));
    assert!(!graph.needs(&package("app"), &package("app")) && !graph.needs(&package("app"), &package("other")));
    let names = |packages: Vec<Package>| packages.into_iter().map(|package| package.name).collect::<Vec<_>>();
    assert_eq!(names(graph.dependents(&package("http"), &package("app"))), ["aaa", "between"]);
    let others = |name: &str| [(name.to_owned(), "1.0.0".to_owned())].into();
    assert!(graph.needs_any(&package("thief"), &others("http")) && !graph.needs_any(&package("http"), &others("http")));
}
