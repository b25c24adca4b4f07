//! Jujutsu's configuration: whose commits these are. Revsets, templates, aliases, signing and tools are no business of a build's.

use toml::{Table, Value};

pub fn copy(text: &[u8]) -> Option<Vec<u8>> {
    let table: Table = std::str::from_utf8(text).ok()?.parse().ok()?;
    let mut user = Table::new();
    for key in ["name", "email"] {
        let value = table.get("user").and_then(|user| user.get(key)).and_then(Value::as_str);
        if let Some(value) = value.and_then(super::address::without_credentials) {
            user.insert(key.into(), value.into());
        }
    }
    let mut kept = Table::new();
    kept.insert("user".into(), user.into());
    Some(toml::to_string(&kept).ok()?.into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whose_it_is_and_nothing_else() {
        let text = "# CANARY\n[user]\nname = \"A\"\nemail = \"a@b.example\"\nkey = \"CANARY\"\n[git]\nx = \"CANARY\"\n";
        assert_eq!(copy(text.as_bytes()).unwrap(), b"[user]\nemail = \"a@b.example\"\nname = \"A\"\n");
        assert_eq!(copy(b"[user"), None);
    }
}
