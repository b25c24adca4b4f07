//! Takes its time, so that others run beside it.

fn main() {
    std::thread::sleep(std::time::Duration::from_secs(3));
}
