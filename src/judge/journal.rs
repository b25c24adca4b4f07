//! What happened, as it happens: bounded, shared by all gate threads. Refusals are never dropped; ordinary acts are counted per
//! (actor, act) and capped per actor with an explicit `truncated`.
//!
//! Each actor has a ledger of its own behind its own lock, and one gate thread serves one actor: locks are hardly ever contended.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::mem::take;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Instant;

use crate::judge::paths;
use crate::model::report::Behaviour;
use crate::model::{Act, Actor, ActorId, Blame, Event, Exception, Hostile, Process, Reviewed, Rule, Severity, Span, Status};

/// Distinct ordinary acts kept per actor.
pub const ACTS: usize = 20_000;
/// Distinct refusals and findings kept whole per actor; beyond, they are counted under their directory, and beyond twice that, under
/// their kind of act.
pub const REFUSALS: usize = 5_000;
/// Different stacks told apart behind one and the same act of an actor; further ones are counted with the first.
pub const STACKS: usize = 32;
/// Processes kept per run.
pub const PROCESSES: usize = 20_000;
/// Bytes of paths and arguments kept per actor, and of arguments kept of all processes: an argument list alone may have 32 KiB.
const TEXT: usize = 16 << 20;
/// Alarms that wait for whoever reads along.
const WAITING: usize = 256;
/// Distinct texts of lost events.
const LOSSES: usize = 100;

/// A finding's raw material: the first event of its shape and stack, and how often it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counted {
    pub event: Event,
    pub count: u64,
}

/// Everything a report is made from, in a stable order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Record {
    pub actors: Vec<Actor>,
    /// When they ran.
    pub spans: BTreeMap<ActorId, Span>,
    pub processes: Vec<Process>,
    pub processes_truncated: u64,
    /// Acts that broke no rule, refused or not. Those that broke one are in `breaches` alone, so that none is counted twice.
    pub behaviours: Vec<Behaviour>,
    /// Ordinary acts that were counted but not kept, per actor.
    pub truncated: BTreeMap<ActorId, u64>,
    pub breaches: Vec<Counted>,
    /// What could not be recorded, and how often.
    pub lost: Vec<(String, u64)>,
    pub events: u64,
    /// Reviewed allows that were used, and how often.
    pub reviewed: Vec<(Reviewed, u64)>,
    /// Exceptions of the user's that were used, with how often.
    pub spent: Vec<(Exception, u64)>,
    /// What no line of a policy would have allowed: none is to be offered.
    pub beyond: BTreeSet<(ActorId, Act)>,
}

#[derive(Clone, Default)]
struct Ledger {
    /// Of all acts.
    text: usize,
    /// All that are known; counted here where they broke no rule.
    acts: HashMap<Act, Times>,
    refusals: usize,
    truncated: u64,
    /// By shape; one for each stack, since several crates in one program may all be after the same file.
    breaches: HashMap<(Act, Status, Rule), Vec<Counted>>,
    /// Of those that are kept whole.
    beyond: HashSet<Act>,
}

/// How often an act was done, by status, and when first.
#[derive(Clone, Copy, Default)]
struct Times {
    counts: [u64; 5],
    first_ms: u64,
}

/// Shared by reference between threads; every method takes `&self`.
#[derive(Default)]
pub struct Journal {
    began: Began,
    /// Of calls that were refused each way there is one of its own: who did as was said is told by it.
    tells_apart: bool,
    /// By their numbers.
    actors: Mutex<Vec<Actor>>,
    spans: Mutex<BTreeMap<ActorId, Span>>,
    ledgers: RwLock<HashMap<ActorId, Arc<Mutex<Ledger>>>>,
    processes: Mutex<Processes>,
    lost: Mutex<BTreeMap<String, u64>>,
    events: AtomicU64,
    /// As many as the shipped file has lines, for each version in the build.
    reviewed: Mutex<BTreeMap<Arc<Reviewed>, u64>>,
    /// As many as the user's file has entries.
    spent: Mutex<BTreeMap<Arc<Exception>, u64>>,
    /// Processes that opened code of others, or were to be traced.
    steered: Mutex<BTreeSet<(ActorId, u32)>>,
    /// Somebody who reads along.
    listener: Mutex<Option<SyncSender<Event>>>,
}

/// The run begins with its journal.
struct Began(Instant);

impl Default for Began {
    fn default() -> Self {
        Began(Instant::now())
    }
}

#[derive(Clone, Default)]
struct Processes {
    kept: Vec<Process>,
    /// Of their arguments.
    text: usize,
    truncated: u64,
}

/// A thread that panicked elsewhere must not take the record with it.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Journal {
    /// Of a trial.
    pub fn of_a_trial() -> Journal {
        Journal { tells_apart: true, ..Journal::default() }
    }

    /// A new actor, or a better description of a known one.
    pub fn actor(&self, actor: Actor) {
        lock(&self.spans).entry(actor.id).or_insert_with(|| Span { started_ms: self.now(), ..Span::default() });
        let mut actors = lock(&self.actors);
        match actors.binary_search_by_key(&actor.id, |known| known.id) {
            Ok(at) => actors[at] = actor,
            Err(at) => actors.insert(at, actor),
        }
    }

    /// When the run began: all that is dated is dated from it.
    pub fn began(&self) -> Instant {
        self.began.0
    }

    fn now(&self) -> u64 {
        self.began.0.elapsed().as_millis() as u64
    }

    /// The last process of an actor is gone.
    pub fn ended(&self, actor: ActorId) {
        let now = self.now();
        lock(&self.spans).entry(actor).and_modify(|span| span.ended_ms = Some(now));
    }

    pub fn event(&self, mut event: Event) {
        self.events.fetch_add(1, Ordering::Relaxed);
        event.at_ms = self.now();
        if event.breach.as_ref().is_some_and(|breach| breach.severity > Severity::Info)
            && let Some(listener) = &*lock(&self.listener)
        {
            // Nobody waits for a reader: what they miss is in the record.
            drop(listener.try_send(event.clone()));
        }
        let ledger = self.ledger(event.actor);
        lock(&ledger).enter(event, self.tells_apart);
    }

    /// What alarms from now on, as it is entered; as much of it as fits. Ends with [`Journal::unheard`].
    pub fn listen(&self) -> Receiver<Event> {
        let (listener, heard) = sync_channel(WAITING);
        *lock(&self.listener) = Some(listener);
        heard
    }

    /// Nobody reads along any more.
    pub fn unheard(&self) {
        *lock(&self.listener) = None;
    }

    /// As it is described so far.
    pub fn describes(&self, id: ActorId) -> Option<Actor> {
        let actors = lock(&self.actors);
        actors.binary_search_by_key(&id, |known| known.id).ok().map(|at| actors[at].clone())
    }

    pub fn process(&self, mut process: Process) {
        let mut processes = lock(&self.processes);
        if processes.kept.len() >= PROCESSES {
            processes.truncated += 1;
            return;
        }
        if processes.text >= TEXT {
            process.argv = vec![Hostile::from("…")];
        }
        processes.text += process.argv.iter().map(|argument| argument.as_bytes().len()).sum::<usize>();
        processes.kept.push(process);
    }

    /// Is this act not known of this actor yet, and will it be kept whole?
    pub fn is_news(&self, actor: ActorId, act: &Act) -> bool {
        let ledger = self.ledger(actor);
        let ledger = lock(&ledger);
        ledger.refusals < REFUSALS && !ledger.acts.contains_key(act)
    }

    /// No line of a policy would have allowed this.
    pub fn beyond(&self, actor: ActorId, act: &Act) {
        let ledger = self.ledger(actor);
        let mut ledger = lock(&ledger);
        if ledger.beyond.len() < REFUSALS {
            ledger.beyond.insert(act.clone());
        }
    }

    /// This process may do what its program would not, see [`Process::steered`].
    pub fn steered(&self, actor: ActorId, pid: u32) {
        let mut steered = lock(&self.steered);
        if steered.len() < PROCESSES {
            steered.insert((actor, pid));
        } else {
            drop(steered);
            self.lost("a process that opened code of others");
        }
    }

    /// An event that could not be read or recorded: the run is no longer complete. `what` is our own text.
    pub fn lost(&self, what: &str) {
        let mut lost = lock(&self.lost);
        let what = if lost.len() < LOSSES || lost.contains_key(what) { what } else { "other" };
        *lost.entry(what.to_owned()).or_default() += 1;
    }

    /// An exception of the user's let something happen that the profile refuses.
    pub fn spent(&self, by: &Arc<Exception>) {
        *lock(&self.spent).entry(Arc::clone(by)).or_default() += 1;
    }

    /// A reviewed allow let something happen that the profile refuses.
    pub fn used(&self, by: &Arc<Reviewed>) {
        *lock(&self.reviewed).entry(Arc::clone(by)).or_default() += 1;
    }

    fn ledger(&self, actor: ActorId) -> Arc<Mutex<Ledger>> {
        if let Some(ledger) = self.ledgers.read().unwrap_or_else(PoisonError::into_inner).get(&actor) {
            return Arc::clone(ledger);
        }
        Arc::clone(self.ledgers.write().unwrap_or_else(PoisonError::into_inner).entry(actor).or_default())
    }

    /// A copy of the record so far. Gate threads may go on writing.
    pub fn snapshot(&self) -> Record {
        let ledgers = self.ledgers.read().unwrap_or_else(PoisonError::into_inner).clone();
        let ledgers = ledgers.into_iter().map(|(actor, ledger)| (actor, lock(&ledger).clone())).collect();
        self.record(lock(&self.actors).clone(), lock(&self.processes).clone(), ledgers)
    }

    /// The record so far, which is the caller's from now on: a copy would double what a long build needs.
    pub fn take(&self) -> Record {
        let ledgers = take(&mut *self.ledgers.write().unwrap_or_else(PoisonError::into_inner));
        let ledgers = ledgers.into_iter().map(|(actor, ledger)| (actor, take(&mut *lock(&ledger)))).collect();
        self.record(take(&mut *lock(&self.actors)), take(&mut *lock(&self.processes)), ledgers)
    }

    fn record(
        &self,
        actors: Vec<Actor>,
        Processes { kept: mut processes, truncated: processes_truncated, .. }: Processes,
        ledgers: Vec<(ActorId, Ledger)>,
    ) -> Record {
        processes.sort_by_key(|process| (process.actor, process.started_ms, process.pid));
        let steered = lock(&self.steered);
        processes.iter_mut().for_each(|process| process.steered = steered.contains(&(process.actor, process.pid)));
        drop(steered);
        let (spans, events) = (lock(&self.spans).clone(), self.events.load(Ordering::Relaxed));
        let mut record = Record { actors, spans, processes, processes_truncated, events, ..Record::default() };
        for (actor, ledger) in ledgers {
            ledger.write_into(actor, &mut record);
        }
        record.behaviours.sort_by(|a, b| (a.actor, &a.act, a.status).cmp(&(b.actor, &b.act, b.status)));
        let key = |counted: &Counted| counted.event.breach.as_ref().map(|breach| (breach.rule, breach.severity));
        record.breaches.sort_by(|a, b| {
            let (one, other) = (&a.event, &b.event);
            (one.actor, key(a), &one.act, one.status, &one.blame).cmp(&(other.actor, key(b), &other.act, other.status, &other.blame))
        });
        record.reviewed = lock(&self.reviewed).iter().map(|(by, count)| (Reviewed::clone(by), *count)).collect();
        record.spent = lock(&self.spent).iter().map(|(by, count)| (Exception::clone(by), *count)).collect();
        record.lost = lock(&self.lost).iter().map(|(what, count)| (what.clone(), *count)).collect();
        record
    }
}

const STATUSES: [Status; 5] = [Status::Allowed, Status::Redacted, Status::Observed, Status::Refused, Status::Decoy];

fn slot(status: Status) -> usize {
    match status {
        Status::Allowed => 0,
        Status::Redacted => 1,
        Status::Observed => 2,
        Status::Refused => 3,
        Status::Decoy => 4,
    }
}

impl Ledger {
    fn enter(&mut self, mut event: Event, tells_apart: bool) {
        let ordinary = event.breach.is_none() && matches!(event.status, Status::Allowed | Status::Redacted);
        let at = slot(event.status);
        let times = u64::from(event.breach.is_none());
        if let Some(known) = self.acts.get_mut(&event.act) {
            known.counts[at] += times;
        } else if ordinary {
            if self.acts.len() - self.refusals >= ACTS || self.text >= TEXT {
                self.truncated += 1;
            } else {
                self.insert(&event, at, times);
            }
        } else {
            if self.refusals >= REFUSALS || self.text >= TEXT {
                event.act = fold(&event.act, self.refusals >= 2 * REFUSALS || self.text >= TEXT);
            }
            if !self.acts.contains_key(&event.act) {
                self.refusals += 1;
            }
            self.insert(&event, at, times);
        }
        let Some(rule) = event.breach.as_ref().map(|breach| breach.rule) else { return };
        let known = self.breaches.entry((event.act.clone(), event.status, rule)).or_default();
        let tells_apart = tells_apart && rule == Rule::ProcTamper;
        let is_same = |a: &Blame, b: &Blame| same_stack(a, b) && (!tells_apart || same_functions(a, b));
        let mut same = match &event.blame {
            Some(blame) => known.iter().position(|known| known.event.blame.as_ref().is_some_and(|other| is_same(blame, other))),
            None if tells_apart => known.iter().position(|known| known.event.blame.is_none()),
            // Nobody was looked at: no reason to tell it from those before.
            None => (!known.is_empty()).then_some(0),
        };
        if same.is_none() && tells_apart && known.len() >= STACKS {
            // Of the rest nothing is known.
            event.blame = None;
            same = known.iter().position(|known| known.event.blame.is_none());
        }
        match same {
            Some(at) => known[at].count += 1,
            None if known.len() < STACKS || tells_apart => known.push(Counted { event, count: 1 }),
            None => known[0].count += 1,
        }
    }

    fn insert(&mut self, event: &Event, at: usize, times: u64) {
        if !self.acts.contains_key(&event.act) {
            self.text += text(&event.act);
        }
        let first = || Times { first_ms: event.at_ms, ..Times::default() };
        self.acts.entry(event.act.clone()).or_insert_with(first).counts[at] += times;
    }

    fn write_into(self, actor: ActorId, record: &mut Record) {
        for (act, Times { counts, first_ms }) in self.acts {
            for (status, count) in STATUSES.into_iter().zip(counts).filter(|(_, count)| *count > 0) {
                record.behaviours.push(Behaviour { actor, act: act.clone(), status, count, first_ms });
            }
        }
        if self.truncated > 0 {
            record.truncated.insert(actor, self.truncated);
        }
        record.breaches.extend(self.breaches.into_values().flatten());
        record.beyond.extend(self.beyond.into_iter().map(|act| (actor, act)));
    }
}

fn same_functions(a: &Blame, b: &Blame) -> bool {
    a.crates.iter().map(|found| &found.function).eq(b.crates.iter().map(|found| &found.function))
}

/// Do these name the same crates, found the same way? Functions are left out: a crate has many ways to the same file.
fn same_stack(a: &Blame, b: &Blame) -> bool {
    fn names(blame: &Blame) -> impl Iterator<Item = (&String, &Option<Hostile>)> {
        blame.crates.iter().map(|found| (&found.name, &found.object))
    }
    a.by == b.by && a.caveat.is_some() == b.caveat.is_some() && names(a).eq(names(b))
}

/// How much there is to keep of an act.
fn text(act: &Act) -> usize {
    let length = |text: &Hostile| text.as_bytes().len();
    match act {
        Act::Exec { path, argv } => length(path) + argv.iter().map(length).sum::<usize>(),
        Act::Rename { from: path, to: other } | Act::Link { from: path, to: other } | Act::Symlink { target: other, path } => {
            length(path) + length(other)
        }
        Act::Read { path } | Act::Write { path } | Act::Create { path } | Act::Remove { path } | Act::Metadata { path, .. } => length(path),
        Act::Signal { to, .. } => length(to),
        Act::Tamper { detail, .. } => length(detail),
        Act::Lookup { name, .. } => length(name),
        Act::Tell { value, .. } => length(value),
        _ => 0,
    }
}

/// An act among too many distinct ones of its kind: its directory stands for it, or nothing but its kind.
fn fold(act: &Act, to_kind: bool) -> Act {
    let shorten = |path: &Hostile| {
        let mut dir = if to_kind { Vec::new() } else { paths::parent(path.as_bytes()).to_vec() };
        dir.extend_from_slice("/…".as_bytes());
        Hostile::new(dir)
    };
    let many = || Hostile::from("…");
    match act.clone() {
        Act::Read { path } => Act::Read { path: shorten(&path) },
        Act::Write { path } => Act::Write { path: shorten(&path) },
        Act::Create { path } => Act::Create { path: shorten(&path) },
        Act::Remove { path } => Act::Remove { path: shorten(&path) },
        Act::Rename { from, to } => Act::Rename { from: shorten(&from), to: shorten(&to) },
        Act::Link { from, to } => Act::Link { from: shorten(&from), to: shorten(&to) },
        Act::Symlink { path, .. } => Act::Symlink { target: many(), path: shorten(&path) },
        Act::Metadata { call, path } => Act::Metadata { call, path: shorten(&path) },
        Act::Exec { path, .. } => Act::Exec { path: shorten(&path), argv: Vec::new() },
        Act::Signal { signal, .. } => Act::Signal { signal, to: many() },
        Act::Tamper { call, .. } => Act::Tamper { call, detail: many() },
        Act::Tell { directive, .. } => Act::Tell { directive, value: many() },
        Act::Lookup { via, .. } => Act::Lookup { name: many(), via: if to_kind { other() } else { via } },
        Act::Connect { .. } => Act::Connect { to: other() },
        Act::Send { .. } => Act::Send { to: other() },
        Act::Bind { .. } => Act::Bind { to: other() },
        act @ (Act::Socket { .. } | Act::Survive { .. } | Act::Linger { .. } | Act::Withhold { .. }) => act,
    }
}

fn other() -> crate::model::Endpoint {
    crate::model::Endpoint::Other { name: "…".to_owned() }
}

#[cfg(test)]
mod tests;
