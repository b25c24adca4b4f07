//! Whose machine it is supposed to be. In: where home and workspace lie, random numbers. Out: names for texts that speak of somebody.

use std::io;
use std::path::Path;

use crate::suspect::decoys::random::Random;

const USERS: [&str; 12] = ["mara", "jonas", "ines", "tomek", "lena", "pavel", "sofia", "henrik", "nadia", "emil", "clara", "david"];
const COMPANIES: [&str; 12] = [
    "halden",
    "brightwell",
    "norrvik",
    "lumenor",
    "castellan",
    "ostara",
    "fernhaus",
    "quillon",
    "merivale",
    "tansley",
    "ardent",
    "solveig",
];
const HOSTS: [&str; 8] = ["thinkpad", "workbench", "desk", "atlas", "build-2", "orion", "nuc", "xps"];

pub struct Persona {
    pub user: String,
    pub company: String,
    pub host: String,
    pub home: String,
    pub workspace: String,
}

impl Persona {
    /// Called like the home, if that is somebody's name.
    ///
    /// # Errors
    /// When there are no random numbers.
    pub fn new(home: &Path, workspace: &Path, random: &mut Random) -> io::Result<Persona> {
        let last = home.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let is_name = (2..=16).contains(&last.len()) && last.bytes().all(|byte| byte.is_ascii_lowercase());
        let user = if is_name && last != "home" { last } else { random.pick(&USERS)?.to_owned() };
        Ok(Persona {
            user,
            company: random.pick(&COMPANIES)?.to_owned(),
            host: random.pick(&HOSTS)?.to_owned(),
            home: home.to_string_lossy().into_owned(),
            workspace: workspace.to_string_lossy().into_owned(),
        })
    }

    /// The word for `name`, if it is about somebody.
    pub fn word(&self, name: &str) -> Option<&str> {
        match name {
            "user" => Some(&self.user),
            "company" => Some(&self.company),
            "host" => Some(&self.host),
            "home" => Some(&self.home),
            "workspace" => Some(&self.workspace),
            _ => None,
        }
    }
}
