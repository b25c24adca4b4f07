//! What cargo keeps of the build script of whoever calls it: looks for a canary there, lays a link that cargo would follow in the next run,
//! and writes to the script.

use std::path::PathBuf;

use proc_macro::TokenStream;

#[proc_macro]
pub fn look(_: TokenStream) -> TokenStream {
    let kept = units(".fingerprint").into_iter().flat_map(|unit| std::fs::read_dir(unit).into_iter().flatten().flatten());
    if kept.filter_map(|file| std::fs::read(file.path()).ok()).any(|bytes| trick::is_canary(&bytes)) {
        trick::won("fingerprint");
    }
    for unit in units("build") {
        let link = unit.join("stderr-of-the-next");
        if std::os::unix::fs::symlink(trick::home().join(".bashrc"), &link).is_ok() {
            trick::won("link");
            let _ = std::fs::remove_file(link);
        }
        if std::fs::OpenOptions::new().append(true).open(unit.join("build-script-build")).is_ok() {
            trick::won("script");
        }
    }
    TokenStream::new()
}

fn units(kind: &str) -> Vec<PathBuf> {
    let package = std::env::var("CARGO_PKG_NAME").unwrap();
    let units = std::fs::read_dir(trick::profile_dir().join(kind)).into_iter().flatten().flatten();
    units.filter(|unit| unit.file_name().to_string_lossy().starts_with(&package)).map(|unit| unit.path()).collect()
}
