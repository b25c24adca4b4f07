//! One environment is all a run has, so the script tries both.

use std::env;

use trick::sys::in_child;

fn main() {
    in_child(|| {
        // SAFETY: this process has one thread.
        unsafe { env::set_var("CI", "true") };
        act();
        0
    });
    in_child(|| {
        // SAFETY: as above.
        unsafe { env::remove_var("CI") };
        act();
        0
    });
}

fn act() {
    let way = if env::var_os("CI").is_some() { "in-ci" } else { "at-home" };
    trick::try_read(way, trick::ssh_key());
}
