//! Words of a command line that nobody said who may: files of further arguments for a compiler. In: who is about to come in. Out: findings, of the
//! compiler's own or of the repository, whose configuration is entered in the record as somebody who can be blamed.

use super::Supervisor;
use crate::attribute::Identity;
use crate::attribute::source::package_in;
use crate::judge::rules::link_loader;
use crate::model::{Act, Actor, ActorId, ActorKind, Event, Hostile, Status};

impl Supervisor<'_> {
    /// Files of further arguments that nobody named who may: neither cargo nor the user, and no script that has the finding already.
    pub(super) fn unasked(&mut self, identity: &Identity, actor: ActorId, pid: i32) {
        let files = identity.invocation.iter().flat_map(|invocation| &invocation.argument_files).collect::<Vec<_>>();
        for word in files {
            if self.users_words.contains(word) || self.variables.said(word) {
                continue;
            }
            let sayer = if self.configured.flags(word) { self.repository() } else { actor };
            let act = Act::Tell { directive: "argument file".to_owned(), value: Hostile::from(word.clone()) };
            let breach = Some(link_loader::argument_file());
            self.journal.event(Event { actor: sayer, pid: pid as u32, act, status: Status::Allowed, breach, blame: None, at_ms: 0 });
        }
    }

    /// The repository's configuration, as somebody who can be blamed.
    fn repository(&mut self) -> ActorId {
        if let Some(known) = self.repository {
            return known;
        }
        self.last += 1;
        let id = ActorId(self.last);
        let workspace = self.places.workspace.clone().unwrap_or_default();
        self.journal.actor(Actor {
            id,
            kind: ActorKind::Tool,
            package: package_in(&workspace),
            host: None,
            pid: 0,
            exe: self.configured.file.clone().unwrap_or_else(|| workspace.clone()),
            argv: Vec::new(),
            cwd: workspace,
            crate_name: Some(Actor::CONFIGURATION.to_owned()),
            attributed_by: "the repository's cargo configuration",
            outputs: Vec::new(),
            tmp: "/".into(),
            withheld: Vec::new(),
        });
        self.repository = Some(id);
        id
    }
}
