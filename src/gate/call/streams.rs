//! What is the caller's already: the file behind one of its own first three descriptors, opened once more (`/dev/stdout`, `/proc/self/fd/2`). In: an
//! act that the policy does not simply allow, its object. Out: what is made of that.
//!
//! Whoever has a file open for writing may write anywhere in it, take the mark of appending off its descriptor (`F_SETFL`) and cut the file off
//! (`ftruncate`), all of which nobody is asked about; and of one that is open for reading it may read all. To open it again in the same direction, and
//! be it with `O_TRUNC`, gives nothing more. In the other direction it would: a log that is written to may hold more than this build's lines. That stays
//! refused; a program that asks about its terminal so means no harm, and no alarm is made of it. Secrets stay secrets, by whatever name.

use std::os::fd::RawFd;

use super::Call;
use crate::gate::opened;
use crate::model::act::ObjectKind;
use crate::model::{Act, Judgement, Object, Rule};

impl Call<'_> {
    /// The judgement, or what becomes of it where the object is the caller's own stream.
    pub(super) fn unless_a_stream(&self, act: &Act, object: Option<Object>, judgement: Judgement) -> Judgement {
        let (path, writes) = match act {
            Act::Read { path } => (path, false),
            Act::Write { path } => (path, true),
            _ => return judgement,
        };
        let elsewhere = judgement.breach.as_ref().is_none_or(|breach| {
            matches!(breach.rule, Rule::FsReadOutside | Rule::FsWriteOutside | Rule::FsWriteSource | Rule::FsForeignArtifact)
        });
        let Some(object) = object.filter(|object| object.kind == ObjectKind::File && elsewhere) else { return judgement };
        let secrets = &self.watched.policy.secrets;
        if secrets.class_of(path.as_bytes()).is_some() || secrets.class_of_object(Some(object)).is_some() {
            return judgement;
        }
        let accesses: Vec<i32> = (0..3).filter_map(|number| self.access(number, object)).collect();
        let wanted = if writes { libc::O_WRONLY } else { libc::O_RDONLY };
        match &accesses[..] {
            [] => judgement,
            some if some.iter().any(|access| [wanted, libc::O_RDWR].contains(access)) => Judgement::allow(),
            _ => Judgement { breach: None, noted: false, ..judgement },
        }
    }

    /// How the caller has this very object open at `number`.
    fn access(&self, number: RawFd, object: Object) -> Option<i32> {
        let flags = opened::flags_of(self.tid, number, |facts| (facts.dev, facts.ino) == (object.dev, object.ino))?;
        self.check_valid().ok()?;
        Some(flags & libc::O_ACCMODE)
    }
}
