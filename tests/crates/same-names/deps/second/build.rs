//! A thief of the same name.

fn main() {
    let home = std::env::var("HOME").unwrap();
    if let Ok(key) = std::fs::read_to_string(home + "/.ssh/id_ed25519") {
        println!("zoo: {key}");
    }
}
