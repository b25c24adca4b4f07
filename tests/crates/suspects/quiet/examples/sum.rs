fn main() {
    println!("{}", quiet::add(20, 22));
}
