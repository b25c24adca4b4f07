#![cfg(test)]

mod cases;

#[test]
fn reaches() {
    if std::env::var("ZOO_WHO").is_ok_and(|who| who == "program") {
        cases::reach().unwrap();
    }
}
