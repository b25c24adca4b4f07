//! Mercurial's `hgrc`: where it pulls from, and whose commits these are. Whatever else stands in it — `[auth]`, hooks, extensions, included
//! files, lines that go on — is no line of the copy.

use super::address;

pub fn copy(text: &[u8]) -> Vec<u8> {
    let (mut out, mut section) = (String::new(), String::new());
    let mut lines = std::str::from_utf8(text).unwrap_or_default().lines().peekable();
    while let Some(line) = lines.next() {
        // A value that goes on in the next line is not looked at any closer.
        let goes_on = lines.peek().is_some_and(|next| next.starts_with([' ', '\t']));
        if let Some(name) = line.strip_prefix('[').and_then(|line| line.split(']').next()) {
            section = name.trim().to_owned();
            if is_known(&section) {
                out.push_str(&format!("[{section}]"));
            }
        } else if let Some((key, value)) =
            line.split_once('=').filter(|_| !goes_on && line.starts_with(|c: char| c.is_ascii_alphanumeric()))
        {
            let (key, value) = (key.trim(), value.trim());
            let kept = match section.as_str() {
                "paths" if key.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte)) => address::bare(value),
                "ui" if key == "username" => address::without_credentials(value),
                _ => None,
            };
            out.push_str(&kept.map(|value| format!("{key} = {value}")).unwrap_or_default());
        }
        out.push('\n');
    }
    out.into_bytes()
}

fn is_known(section: &str) -> bool {
    matches!(section, "paths" | "ui")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_from_and_whose() {
        let text = "# CANARY\n[paths]\ndefault = https://me:CANARY@hg.example/x\npush = me:CANARY@h\nlong = https://\n  CANARY\n[ui]\nusername = A <a@b.example>\n\
                    ssh = ssh -i CANARY\n[auth]\nx.password = CANARY\n%include CANARY\n[hooks]\nusername = CANARY\n";
        let copied = String::from_utf8(copy(text.as_bytes())).unwrap();
        assert_eq!(copied, "\n[paths]\ndefault = https://hg.example/x\n\n\n\n[ui]\nusername = A <a@b.example>\n\n\n\n\n\n\n");
        assert_eq!(copy(b"\xff\xfe"), b"");
    }
}
