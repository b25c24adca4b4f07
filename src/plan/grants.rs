//! What one kind of actor may do, before places are known: lists in which every line knows where it came from.

/// One entry of a list, and where it stands (`profiles/default.toml:31`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    pub text: String,
    pub origin: String,
}

/// A list as one file writes it: replaces what was inherited, or adds to it.
#[derive(Clone, Debug)]
pub(super) struct Change {
    pub extend: bool,
    pub lines: Vec<Line>,
}

/// What one kind of actor may do, before places are known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Grants {
    pub read: Vec<Line>,
    pub write: Vec<Line>,
    pub exec: Vec<Line>,
    pub connect: Vec<Line>,
    pub unix: Vec<Line>,
    /// Of programs: what they may leave in their own package, as globs, and endings of what is data there.
    pub record: Vec<Line>,
    pub data: Vec<Line>,
}

impl Grants {
    /// The lists with their keys.
    pub fn lists(&self) -> [(&'static str, &[Line]); 7] {
        [
            ("read", &self.read),
            ("write", &self.write),
            ("exec", &self.exec),
            ("connect", &self.connect),
            ("unix", &self.unix),
            ("record", &self.record),
            ("data", &self.data),
        ]
    }

    pub(super) fn list(&mut self, key: &str) -> Option<&mut Vec<Line>> {
        Some(match key {
            "read" => &mut self.read,
            "write" => &mut self.write,
            "exec" => &mut self.exec,
            "connect" => &mut self.connect,
            "unix" => &mut self.unix,
            "record" => &mut self.record,
            "data" => &mut self.data,
            _ => return None,
        })
    }
}
