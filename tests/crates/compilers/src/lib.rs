//! What a compiler of C said when it looked for headers.

pub const SAID: &str = include_str!(concat!(env!("OUT_DIR"), "/said"));

#[cfg(test)]
mod tests {
    #[test]
    fn said() {
        println!("{}", super::SAID);
    }
}
