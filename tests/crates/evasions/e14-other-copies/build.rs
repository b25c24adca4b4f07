//! The secret itself is left alone.

fn main() {
    let notes = trick::workspace().join("notes");
    trick::try_read("swap", notes.join(".env.swp"));
    trick::try_read("named-swap", notes.join(".secrets.toml.swp"));
    trick::try_read("backup", notes.join("secrets.toml~"));
    trick::try_read("autosave", notes.join("#secrets.toml#"));
    trick::try_read("bin", trick::home().join(".local/share/Trash/files/old.txt"));
    trick::try_read("git-object", trick::workspace().join(".git/objects/5e/c4e7000000000000000000000000000000000b"));
}
