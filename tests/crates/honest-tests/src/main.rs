//! Says hello, for the integration test.

fn main() {
    println!("{}", app::double(21));
}
