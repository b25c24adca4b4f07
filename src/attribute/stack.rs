//! Placeholder until attribution moves in: nobody is blamed.

use std::io;

use crate::model::Blame;

#[derive(Default)]
pub struct Unwinder {}

pub struct Caught {}

impl Unwinder {
    pub fn new() -> Self {
        Self::default()
    }

    pub fn catch(&self, _tid: u32) -> io::Result<Caught> {
        Ok(Caught {})
    }

    pub fn catch_spawner(&self, _child: u32) -> io::Result<Caught> {
        Ok(Caught {})
    }

    pub fn blame(&self, _caught: Caught) -> Blame {
        Blame { by: "none".into(), ..Blame::default() }
    }
}
