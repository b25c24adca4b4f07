//! What honest packages do in their tests: all of it passes under plain cargo.

/// What a native library said while this was compiled.
pub fn native() -> i32 {
    native_macro::native!()
}

/// How many directories above this package could be opened while this was compiled.
pub fn opened() -> usize {
    native_macro::opened!()
}

/// Runs a command of the system.
///
/// ```
/// assert_eq!(app::say("hi").trim(), "hi");
/// ```
pub fn say(what: &str) -> String {
    let said = std::process::Command::new("echo").arg(what).output().expect("echo");
    String::from_utf8(said.stdout).unwrap()
}

/// Leaves a note in the package.
///
/// ```
/// app::note("doctest-note.txt");
/// ```
pub fn note(name: &str) {
    std::fs::write(name, "hi").unwrap();
    std::fs::remove_file(name).unwrap();
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod tracing;
