//! What is laid into a throw-away for a suspect to find. In: the throw-away. Out: its canaries, and variables of the environment.

use std::ffi::OsString;
use std::fs;
use std::io;

use super::suspect::Suspect;
use super::throwaway::Throwaway;
use crate::model::Canary;

pub struct Laid {
    pub canaries: Vec<Canary>,
    pub environment: Vec<(OsString, OsString)>,
}

/// # Errors
/// With the path that could not be written.
pub fn lay(throwaway: &Throwaway, _suspect: &Suspect) -> io::Result<Laid> {
    let value = "sk-test-6f1a9c".to_owned();
    fs::write(throwaway.app().join(".env"), format!("API_KEY={value}\n"))?;
    Ok(Laid { canaries: vec![Canary { value, place: "<workspace>/.env".into(), name: "API_KEY".into() }], environment: Vec::new() })
}
