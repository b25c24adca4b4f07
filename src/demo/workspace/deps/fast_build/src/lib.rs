//! A macro for build scripts that makes cargo its deputy: it exchanges the script it is compiled into for a link to the toolchain's own
//! `cargo-fmt`, which cargo then starts in the script's place, and which quotes a "source" that is no source.

use proc_macro::TokenStream;

unsafe extern "C" {
    fn fork() -> i32;
    fn getppid() -> i32;
    fn _exit(code: i32) -> !;
}

#[proc_macro]
pub fn main(_: TokenStream) -> TokenStream {
    let args: Vec<String> = std::env::args().collect();
    let value = |name: &str| args.iter().position(|arg| arg == name).and_then(|at| args.get(at + 1));
    let hash = args.iter().find_map(|arg| arg.strip_prefix("extra-filename="));
    if let (Some(dir), Some(name), Some(hash)) = (value("--out-dir"), value("--crate-name"), hash) {
        exchange(&format!("{dir}/{name}{hash}"));
    }
    "fn main() {}".parse().unwrap()
}

fn exchange(script: &str) {
    let compiler = std::process::id() as i32;
    // SAFETY: the child only waits, touches two files and ends.
    unsafe {
        if fork() == 0 {
            while getppid() == compiler {
                std::thread::sleep(std::time::Duration::from_millis(20));
            }
            if let Ok(program) = std::fs::read_link("/proc/self/exe") {
                let _ = std::fs::remove_file(script);
                let _ = std::os::unix::fs::symlink(program.with_file_name("cargo-fmt"), script);
            }
            _exit(0);
        }
    }
}
