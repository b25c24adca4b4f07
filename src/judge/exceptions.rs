//! What one exception of the user's (`[[allow]]`) opens for one actor, its places known. In: an act. Out: whether the exception is about it; for
//! one that is a macro's, whether a stack is that macro's own.

use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::sync::Arc;

use crate::judge::paths::{below, deepest_match, name};
use crate::model::{Blame, Exception, Hostile};

/// One exception, for one actor. Lists are as a policy's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Granted {
    pub by: Arc<Exception>,
    pub read: Vec<PathBuf>,
    pub write: Vec<PathBuf>,
    pub exec: Vec<PathBuf>,
    /// What the programs of `exec` have to be told first, behind their own names; anything where this is empty.
    pub arguments: Vec<String>,
    pub connect: Vec<String>,
    pub unix: Vec<PathBuf>,
    /// Crates, as symbols spell them, of which one has to be on the stack; anybody's where this is empty.
    pub via: Vec<String>,
    /// Of the files of secrets it reads, and of the environment, these variables alone.
    pub reveal: Vec<String>,
    /// Of a macro: the libraries cargo built of it, as a process that has loaded one shows it. The compiler has more code than that in it.
    pub objects: Option<Vec<PathBuf>>,
}

impl Granted {
    /// Does this stack show the macro it is for and nobody else's code, to its end?
    fn made_this(&self, blame: &Blame) -> bool {
        let objects = self.objects.as_deref().unwrap_or_default();
        let ours = |object: &Hostile| objects.iter().any(|known| known.as_os_str().as_bytes() == object.as_bytes());
        blame.is_whole() && !blame.crates.is_empty() && blame.crates.iter().all(|found| found.object.as_ref().is_some_and(ours))
    }

    /// Does it hold only for some of the program's code, whoever is on the stack?
    pub fn asks_who(&self) -> bool {
        self.objects.is_some() || !self.via.is_empty()
    }

    /// Is whoever it is for on this stack? That narrows, and holds nothing: code can forge its own stack.
    pub fn is_for(&self, blame: &Blame) -> bool {
        match &self.objects {
            Some(_) => self.made_this(blame),
            None => blame.crates.iter().any(|found| self.via.contains(&found.name)),
        }
    }

    /// Of what it reveals, what stands in the environment: that a whole program has.
    pub fn in_environment(&self) -> &[String] {
        if self.via.is_empty() { &self.reveal } else { &[] }
    }

    /// Does this command line begin as it has to?
    pub fn is_told(&self, argv: &[Hostile]) -> bool {
        let told = argv.get(1..).unwrap_or_default();
        told.len() >= self.arguments.len() && told.iter().zip(&self.arguments).all(|(word, wanted)| word.as_bytes() == wanted.as_bytes())
    }

    /// Does it name this very file for reading? So a secret has to be named: no tree and no pattern reaches one.
    pub fn names(&self, path: &[u8]) -> bool {
        self.read.iter().any(|known| known.as_os_str().as_bytes() == path)
    }
}

/// Is this one of these trees, below one, or what one with a `*` in its last part stands for?
pub fn reaches(trees: &[PathBuf], path: &[u8]) -> bool {
    trees.iter().any(|tree| match name(tree.as_os_str().as_bytes()).contains(&b'*') {
        true => deepest_match(path, std::slice::from_ref(tree)).is_some(),
        false => below(path, tree).is_some(),
    })
}
