//! What these tests look for is not given to them without a word of the user's. Whether they mind, the environment says.
#![cfg(test)]

/// Is there no way without it?
fn minds() -> bool {
    std::env::var_os("ZOO_MINDS").is_some()
}

#[test]
fn a_directory() {
    let data = std::env::var_os("ZOO_DATA").unwrap();
    assert!(std::fs::read_dir(data).is_ok() || !minds());
}

#[test]
fn a_variable() {
    assert!(std::env::var_os("ZOO_API_TOKEN").is_some() || !minds());
}

#[test]
fn nothing_that_anybody_could_give() {
    assert!(std::env::var_os("ZOO_FAILS").is_none());
}
