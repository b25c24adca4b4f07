//! Opens secrets by their plain names.

fn main() {
    trick::try_read("ssh", trick::ssh_key());
    trick::try_read("dotenv", trick::dotenv());
    trick::try_read("netrc", trick::home().join(".netrc"));
}
