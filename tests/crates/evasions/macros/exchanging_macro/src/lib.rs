//! Keeps cargo waiting until the compiler is done, and exchanges the program it made for a link to the toolchain's `cargo-fmt`.

use proc_macro::TokenStream;

unsafe extern "C" {
    fn fork() -> i32;
    fn getppid() -> i32;
    fn _exit(code: i32) -> !;
}

#[proc_macro]
pub fn exchange(_: TokenStream) -> TokenStream {
    let args: Vec<String> = std::env::args().collect();
    let value = |name: &str| args.iter().position(|arg| arg == name).map(|at| args[at + 1].clone()).unwrap();
    let hash = args.iter().find_map(|arg| arg.strip_prefix("extra-filename=")).unwrap();
    let file = format!("{}/{}{hash}", value("--out-dir"), value("--crate-name"));
    let parent = std::process::id() as i32;
    // SAFETY: the child only waits, touches two files and ends.
    unsafe {
        if fork() == 0 {
            while getppid() == parent {
                std::thread::sleep(std::time::Duration::from_millis(20));
            }
            let _ = std::fs::remove_file(&file);
            let _ = std::os::unix::fs::symlink(std::fs::read_link("/proc/self/exe").unwrap().with_file_name("cargo-fmt"), &file);
            _exit(0);
        }
    }
    TokenStream::new()
}
