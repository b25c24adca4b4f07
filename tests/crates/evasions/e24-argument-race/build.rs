//! What starts is not what was named, or is told something else. Each program that must not run would print a mark.

use std::ffi::CStr;
use std::fs;
use std::os::fd::AsRawFd;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::sync::atomic::Ordering::Relaxed;

use trick::race::{Racer, Shared, Tally, begin, race};
use trick::sys::{call, ptr, start, wait};

const EXECVE: i64 = 59;
const DUP2: i64 = 33;
const LOADER: &CStr = if cfg!(target_arch = "x86_64") { c"/lib64/ld-linux-x86-64.so.2" } else { c"/lib/ld-linux-aarch64.so.1" };

fn main() {
    begin();
    let out = trick::out_dir();
    let temporary = std::env::temp_dir().join(format!("zoo-{}", std::process::id()));
    fs::create_dir_all(out.join("bin")).unwrap();
    fs::create_dir_all(&temporary).unwrap();
    let link = |path: std::path::PathBuf, to: &Path| {
        let _ = fs::remove_file(&path);
        symlink(to, &path).unwrap();
        path
    };
    // A program by the name of one that downloads; it only prints a variable.
    let downloader = out.join("bin/curl");
    fs::copy("/usr/bin/printenv", &downloader).unwrap();
    link(out.join("program2"), &downloader);
    let program = link(out.join("program1"), Path::new("/bin/true"));
    // One that somebody dropped where nothing may be run from.
    let dropped = temporary.join("dropped");
    fs::copy("/usr/bin/printenv", &dropped).unwrap();
    link(out.join("loaded2"), &dropped);
    let loaded = link(out.join("loaded1"), &fs::canonicalize("/bin/true").unwrap());

    for (name, racer) in [("thread", Racer::Thread), ("process", Racer::Process)] {
        run(&format!("program-{name}"), racer, &program, |path| [path, path]);
        run(&format!("loader-argument-{name}"), racer, &loaded, |path| [ptr(LOADER), path]);
    }
    let _ = fs::remove_dir_all(temporary);
}

/// `words` makes the program and the argument before the mark.
fn run(way: &str, racer: Racer, path: &Path, words: impl Fn(i64) -> [i64; 2]) {
    let shared = Shared::anonymous();
    let text = path.to_str().unwrap().as_bytes();
    let at = shared.write(0, text);
    let last = shared.byte(text.len() - 1);
    // Not in the arguments, which a report may repeat.
    let mark = trick::c(format!("ZOO_MARK={}", trick::mark(way)));
    let (name, environment) = (c"ZOO_MARK", [ptr(&mark), 0]);
    let [program, argument] = words(at);
    let argv = if program == argument { [argument, ptr(name), 0, 0] } else { [program, argument, ptr(name), 0] };
    let printed = trick::out_dir().join(format!("printed-{way}"));
    let file = fs::File::create(&printed).unwrap();
    let mut tally = Tally::default();
    tally.rewritten += race(
        racer,
        &shared,
        || drop(last.fetch_xor(b'1' ^ b'2', Relaxed)),
        || {
            let child = start(|| {
                let _ = call(DUP2, &[i64::from(file.as_raw_fd()), 1]);
                let errno = call(EXECVE, &[program, argv.as_ptr() as i64, environment.as_ptr() as i64]).unwrap_err();
                std::process::exit(errno);
            });
            match wait(child) {
                0 => tally.counted(Ok(false)),
                code => tally.counted(Err(code)),
            }
        },
    );
    // The file holds one mark for each time it ran.
    let text = fs::read_to_string(&printed).unwrap_or_default();
    tally.won = text.lines().count() as u64;
    tally.harmless -= tally.won.min(tally.harmless);
    tally.tell(way, "exec");
    let _ = fs::remove_file(printed);
}
