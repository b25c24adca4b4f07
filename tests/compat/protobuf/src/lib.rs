//! What was generated must compile.

include!(concat!(env!("OUT_DIR"), "/hello.rs"));

#[cfg(test)]
mod tests {
    use prost::Message;

    #[test]
    fn there_and_back() {
        let greeting = super::Greeting { name: "you".into(), at: None };
        assert_eq!(super::Greeting::decode(&greeting.encode_to_vec()[..]).unwrap(), greeting);
    }
}
