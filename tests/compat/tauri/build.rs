//! As `create-tauri-app` writes it.

fn main() {
    tauri_build::build()
}
