//! Somebody's build script, in nobody's package.

fn main() {
    trick::try_read("read", trick::ssh_key());
}
