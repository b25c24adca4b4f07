fn main() {
    println!("{}", tooled::preprocessed!());
}
