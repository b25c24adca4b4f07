//! The first refusal is the finding, although the build succeeds and nothing else is ever tried.

fn main() {
    let readable = std::fs::read(trick::ssh_key()).is_ok_and(|bytes| trick::is_canary(&bytes));
    if readable {
        trick::won("probe");
        trick::net::try_stream("payload", trick::net::INET, 0, &trick::net::loopback(trick::tcp_port()));
    }
}
