//! A benchmark without a harness.

use std::time::Instant;

fn main() {
    let begun = Instant::now();
    let sum: u64 = (0..1000u64).map(std::hint::black_box).sum();
    std::fs::write(std::env::temp_dir().join("zoo-speed"), sum.to_string()).unwrap();
    eprintln!("{:?}", begun.elapsed());
    println!("sum {sum}");
}
