//! The smallest window.

#[tauri::command]
fn greet(name: &str) -> String {
    format!("Hello, {name}!")
}

fn main() {
    tauri::Builder::default().invoke_handler(tauri::generate_handler![greet]).run(tauri::generate_context!()).unwrap();
}
