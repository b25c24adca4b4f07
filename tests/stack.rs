//! Who did it, on real processes: programs and compilers run under a real seccomp listener, and the stack behind a call names the crate.

mod notify;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use cargo_brig::attribute::{Caught, Unwinder};
use cargo_brig::model::Blame;
use notify::{Seen, run};

/// Two cores: compilers one after the other, so that the times measured mean something.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

const MACRO: &str = r#"
extern crate proc_macro;
use proc_macro::TokenStream;
#[inline(never)]
fn steal(path: &str) { let _ = std::fs::read(path); }
#[proc_macro]
pub fn go(_: TokenStream) -> TokenStream { steal("/marker/own"); steal("/marker/again"); TokenStream::new() }
#[proc_macro]
pub fn threaded(_: TokenStream) -> TokenStream {
    std::thread::spawn(|| steal("/marker/thread")).join().unwrap();
    let _ = std::process::Command::new("/bin/true").status();
    TokenStream::new()
}
"#;
const USES_MACRO: &str = r#"
evil_macro::go!();
evil_macro::threaded!();
pub const TEXT: &str = include_str!("marker.txt");
fn main() {}
"#;
const DEPENDENCY: &str = r#"
pub struct Look;
impl Look {
    pub fn start(self) -> std::thread::JoinHandle<()> {
        std::thread::spawn(move || {
            let _ = std::net::TcpStream::connect("127.0.0.1:9");
            let _ = std::process::Command::new("/bin/true").status();
        })
    }
}
pub fn generic<F: Fn(&str)>(f: F) { f("/marker/callback") }
"#;
const PROGRAM: &str = r#"
fn main() {
    chrono_look::Look.start().join().unwrap();
    chrono_look::generic(|path| drop(std::fs::read(path)));
}
"#;
const BUILD_SCRIPT: &str = r#"
use std::os::unix::process::CommandExt;
fn main() {
    let _ = std::fs::read("/marker/script");
    // A pre_exec closure makes the standard library fork instead of vfork.
    let _ = unsafe { std::process::Command::new("/bin/true").pre_exec(|| Ok(())) }.status();
}
"#;

struct Workshop(tempfile::TempDir);

impl Workshop {
    fn new() -> Self {
        Workshop(tempfile::tempdir().expect("temporary directory"))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn rustc(&self, name: &str, source: &str, arguments: &[&str]) -> Command {
        let file = self.path(name).with_extension("rs");
        fs::write(&file, source).expect("source written");
        let mut rustc = Command::new(rustc());
        rustc.arg(file).args(["--edition", "2021", "--out-dir"]).arg(self.0.path()).arg("-L").arg(self.0.path());
        rustc.args(arguments).current_dir(self.0.path());
        rustc
    }

    fn compile(&self, name: &str, source: &str, arguments: &[&str]) {
        let done = self.rustc(name, source, arguments).output().expect("rustc runs");
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    }
}

/// The compiler itself, not rustup's proxy for it.
fn rustc() -> PathBuf {
    let out = Command::new(std::env::var("RUSTC").unwrap_or("rustc".into())).args(["--print", "sysroot"]).output().expect("rustc runs");
    Path::new(String::from_utf8(out.stdout).expect("text").trim()).join("bin/rustc")
}

/// A call that was looked at, and how long that took after the answer.
struct Looked {
    call: Seen,
    blame: Blame,
    took: Duration,
}

impl Looked {
    fn crates(&self) -> Vec<&str> {
        self.blame.crates.iter().map(|c| c.name.as_str()).collect()
    }

    fn function(&self) -> String {
        let innermost = self.blame.crates.first().and_then(|c| c.function.clone());
        innermost.map(|f| f.to_json_text()).unwrap_or_default()
    }
}

fn look(command: &mut Command, unwinder: &Unwinder) -> Vec<Looked> {
    look_and(command, unwinder, || ())
}

/// The same; `tell` is called after each.
fn look_and(command: &mut Command, unwinder: &Unwinder, mut tell: impl FnMut()) -> Vec<Looked> {
    let mut looked = Vec::new();
    let mut repeated = None;
    let judge = |seen: &Seen| {
        if repeated.is_some_and(|tid| tid == seen.tid) {
            repeated = None;
            return None;
        }
        let caught = match seen.number {
            libc::SYS_connect => unwinder.catch(seen.tid),
            libc::SYS_execve if seen.path.ends_with("bin/true") => unwinder.catch_spawner(seen.tid),
            libc::SYS_openat if seen.path.ends_with("marker.fifo") => unwinder.catch_before(seen.tid),
            libc::SYS_openat if seen.path.contains("marker") => unwinder.catch(seen.tid),
            _ => return None,
        };
        let caught = caught.expect("caught");
        if caught.must_repeat() {
            repeated = Some(seen.tid);
        }
        Some((if caught.must_repeat() { Caught::REPEAT } else { 0 }, (caught, Instant::now())))
    };
    let status = run(command, judge, |call, (caught, since)| {
        let blame = unwinder.blame(caught);
        eprintln!("{} {:?}: {:?} after {:?}", call.number, call.path, blame, since.elapsed());
        looked.push(Looked { call, blame, took: since.elapsed() });
        tell();
    });
    assert!(status.success(), "the program ran to its end");
    looked
}

fn the<'a>(looked: &'a [Looked], number: i64, path: &str) -> &'a Looked {
    looked.iter().find(|l| l.call.number == number && l.call.path.ends_with(path)).unwrap_or_else(|| panic!("no call on {path}"))
}

#[test]
fn a_macro_is_told_from_the_compiler_it_runs_in() {
    let _one = ONE_AT_A_TIME.lock();
    let shop = Workshop::new();
    fs::write(shop.path("marker.txt"), "text").expect("written");
    shop.compile("evil_macro", MACRO, &["--crate-type", "proc-macro", "-C", "extra-filename=-0123abcd"]);
    let unwinder = Unwinder::new();
    let extern_macro = format!("evil_macro={}", shop.path("libevil_macro-0123abcd.so").display());
    let looked = look(&mut shop.rustc("app", USES_MACRO, &["--emit", "metadata", "--extern", &extern_macro]), &unwinder);

    for path in ["/marker/own", "/marker/thread"] {
        let act = the(&looked, libc::SYS_openat, path);
        assert_eq!(act.crates(), ["evil_macro"], "{path}");
        assert_eq!((act.function().as_str(), act.blame.by.as_str()), ("evil_macro::steal", "stack"));
        assert_eq!(act.blame.caveat, None);
        let object = act.blame.crates[0].object.as_ref().expect("lies in the macro's file");
        assert!(object.as_path().ends_with("libevil_macro-0123abcd.so"));
    }
    let spawn = the(&looked, libc::SYS_execve, "/bin/true");
    assert_eq!((spawn.crates(), spawn.blame.by.as_str()), (vec!["evil_macro"], "parent stack"));
    let include = the(&looked, libc::SYS_openat, "marker.txt");
    assert_eq!((include.crates(), include.blame.by.as_str(), &include.blame.caveat), (vec![], "stack", &None));
    eprintln!("cold {:?}, warm {:?}", looked[0].took, the(&looked, libc::SYS_openat, "/marker/again").took);
}

#[test]
fn a_macro_without_symbols_is_named_by_its_file() {
    let _one = ONE_AT_A_TIME.lock();
    let shop = Workshop::new();
    fs::write(shop.path("marker.txt"), "text").expect("written");
    shop.compile("evil_macro", MACRO, &["--crate-type", "proc-macro", "-C", "extra-filename=-0123abcd", "-O", "-C", "strip=symbols"]);
    let extern_macro = format!("evil_macro={}", shop.path("libevil_macro-0123abcd.so").display());
    let looked = look(&mut shop.rustc("app", USES_MACRO, &["--emit", "metadata", "--extern", &extern_macro]), &Unwinder::new());
    let act = the(&looked, libc::SYS_openat, "/marker/own");
    assert_eq!((act.crates(), act.function().as_str()), (vec!["evil_macro"], ""));
    assert_eq!(act.blame.caveat.as_deref(), Some("a program or library on the stack has no symbols"));
}

#[test]
fn a_dependency_is_named_inside_a_program() {
    let _one = ONE_AT_A_TIME.lock();
    for (mangling, level) in [("legacy", "0"), ("v0", "0"), ("legacy", "3"), ("v0", "3")] {
        let shop = Workshop::new();
        let mangling = format!("symbol-mangling-version={mangling}");
        let level = format!("opt-level={level}");
        let options = ["-C", &mangling, "-C", &level, "-Z", "unstable-options"];
        let options = if mangling.ends_with("legacy") { &options[..] } else { &options[..4] };
        let compile = |name: &str, source: &str, kind: &str| {
            let mut rustc = shop.rustc(name, source, &["--crate-type", kind]);
            let done = rustc.args(options).env("RUSTC_BOOTSTRAP", "1").output().expect("rustc runs");
            assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        };
        compile("chrono_look", DEPENDENCY, "rlib");
        compile("app", &format!("extern crate chrono_look;\n{PROGRAM}"), "bin");
        let looked = look(&mut Command::new(shop.path("app")), &Unwinder::new());

        let connect = the(&looked, libc::SYS_connect, "");
        let spawn = the(&looked, libc::SYS_execve, "/bin/true");
        if level == "opt-level=3" {
            // The closure was inlined into the standard library's thread start: that must not pass for "nobody's".
            let lost = Some("optimised: no function of a crate is left on the stack");
            assert!(connect.crates() == ["chrono_look"] || connect.blame.caveat.as_deref() == lost);
            assert!(mangling.ends_with("legacy") || connect.crates() == ["chrono_look"], "v0 names the closure's type");
        } else {
            assert_eq!(connect.crates(), ["chrono_look"], "{options:?}");
            assert_eq!((spawn.crates(), spawn.blame.by.as_str()), (vec!["chrono_look"], "parent stack"), "{options:?}");
            assert_eq!(spawn.blame.caveat, None);
            let shapes = ["<chrono_look::Look>::start::{closure", "chrono_look::Look::start::{{closure"];
            assert!(shapes.iter().any(|shape| connect.function().starts_with(shape)), "{}", connect.function());
            let callback = the(&looked, libc::SYS_openat, "/marker/callback");
            assert_eq!(callback.crates(), ["app", "chrono_look", "app"], "{options:?}");
        }
    }
}

#[test]
fn a_build_script_is_named_debug_and_release() {
    let _one = ONE_AT_A_TIME.lock();
    for level in ["opt-level=0", "opt-level=3"] {
        let shop = Workshop::new();
        shop.compile("build_script_build", BUILD_SCRIPT, &["-C", level]);
        let looked = look(&mut Command::new(shop.path("build_script_build")), &Unwinder::new());
        let read = the(&looked, libc::SYS_openat, "/marker/script");
        assert_eq!((read.crates(), read.function().as_str()), (vec!["build_script_build"], "build_script_build::main"), "{level}");
        assert_eq!(read.blame.caveat, None);
        let spawn = the(&looked, libc::SYS_execve, "/bin/true");
        assert_eq!(spawn.blame.by, "stack", "a plain fork: the child's own copy of the stack");
        assert_eq!((spawn.crates(), spawn.function().as_str()), (vec!["build_script_build"], "build_script_build::main"), "{level}");
    }
}

#[test]
fn a_call_that_blocks_is_looked_at_before_it_is_made() {
    let _one = ONE_AT_A_TIME.lock();
    let shop = Workshop::new();
    let fifo = shop.path("marker.fifo");
    nix::unistd::mkfifo(&fifo, nix::sys::stat::Mode::S_IRWXU).expect("made");
    let source = format!("fn main() {{ assert_eq!(std::fs::read({:?}).unwrap(), b\"late\"); }}", fifo);
    shop.compile("app", &source, &[]);
    // The open returns when there is a writer, and there is none before it was looked at.
    let (tell, told) = std::sync::mpsc::channel();
    let writer = std::thread::spawn(move || {
        let looked = told.recv_timeout(Duration::from_secs(20)).is_ok();
        fs::write(fifo, "late").expect("written");
        looked
    });
    let looked = look_and(&mut Command::new(shop.path("app")), &Unwinder::new(), || {
        let _ = tell.send(());
    });
    assert!(writer.join().expect("writer"), "before the open returned");
    assert_eq!(looked.len(), 1, "caught once, not at every restart");
    assert_eq!((looked[0].crates(), looked[0].function().as_str()), (vec!["app"], "app::main"));
}

#[test]
fn threads_that_spawn_at_once_are_told_apart() {
    let _one = ONE_AT_A_TIME.lock();
    let source = r#"
        #[inline(never)] fn left() { let _ = std::process::Command::new("/bin/true").status(); }
        #[inline(never)] fn right() { let _ = std::process::Command::new("/usr/bin/true").status(); }
        fn main() {
            let threads = [left as fn(), right].map(|f| std::thread::spawn(move || (0..20).for_each(|_| f())));
            threads.into_iter().for_each(|t| t.join().unwrap());
        }
    "#;
    let shop = Workshop::new();
    shop.compile("app", source, &[]);
    let looked = look(&mut Command::new(shop.path("app")), &Unwinder::new());
    assert_eq!(looked.len(), 40);
    for act in looked {
        let expected = if act.call.path == "/bin/true" { "app::left" } else { "app::right" };
        assert_eq!((act.function().as_str(), act.blame.by.as_str()), (expected, "parent stack"));
    }
}

#[test]
fn a_file_replaced_under_a_process_is_not_believed() {
    let _one = ONE_AT_A_TIME.lock();
    let shop = Workshop::new();
    shop.compile("build_script_build", BUILD_SCRIPT, &[]);
    let unwinder = Unwinder::new();
    let program = shop.path("build_script_build");
    let other = shop.path("other");
    let judge = |seen: &Seen| {
        (seen.path == "/marker/script").then(|| {
            fs::copy(&program, &other).expect("copied");
            fs::rename(&other, &program).expect("replaced");
            (0, unwinder.catch(seen.tid).expect("caught"))
        })
    };
    let mut blames = Vec::new();
    run(&mut Command::new(&program), judge, |_, caught| blames.push(unwinder.blame(caught)));
    assert!(blames[0].crates.is_empty());
    assert_eq!(blames[0].caveat.as_deref(), Some("a mapped file was deleted"));
}

#[test]
fn a_signal_seen_while_waiting_is_delivered_and_a_dropped_catch_lets_go() {
    let _one = ONE_AT_A_TIME.lock();
    let script = r#"
        extern "C" { fn signal(n: i32, f: extern "C" fn(i32)) -> usize; fn getpid() -> i32; }
        static SEEN: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
        extern "C" fn seen(_: i32) { SEEN.fetch_add(1, std::sync::atomic::Ordering::SeqCst); }
        fn main() {
            unsafe { signal(10, seen) };
            let _ = std::fs::read("/marker/signal");
            let _ = std::fs::read("/marker/dropped");
            std::process::exit(if SEEN.load(std::sync::atomic::Ordering::SeqCst) == 1 { 0 } else { 3 })
        }
    "#;
    let shop = Workshop::new();
    shop.compile("app", script, &[]);
    let unwinder = Unwinder::new();
    let mut blames = Vec::new();
    let judge = |seen: &Seen| match seen.path.as_str() {
        "/marker/signal" => {
            let caught = unwinder.catch(seen.tid).expect("caught");
            nix::sys::signal::kill(nix::unistd::Pid::from_raw(seen.tid as i32), nix::sys::signal::Signal::SIGUSR1).expect("signalled");
            Some((0, caught))
        }
        "/marker/dropped" => {
            drop(unwinder.catch(seen.tid).expect("caught"));
            None
        }
        _ => None,
    };
    let status = run(&mut Command::new(shop.path("app")), judge, |_, caught| blames.push(unwinder.blame(caught)));
    assert!(status.success(), "the handler ran exactly once: {status}");
    assert_eq!(blames[0].crates[0].name, "app");
}
