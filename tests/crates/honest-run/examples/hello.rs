//! An example that says which directory it runs in.

fn main() {
    println!("hello from {:?}", std::env::current_dir().unwrap().file_name().unwrap());
}
