//! The words everyone shares: actors, acts, verdicts, findings and the report. Plain data with serde; no I/O, no clock, no policy.
//! Every other room may import this one; this one imports nothing of ours.

pub mod act;
pub mod actor;
pub mod barred;
pub mod blame;
pub mod calls;
pub mod digest;
pub mod drawn;
pub mod duration;
pub mod event;
pub mod exception;
pub mod exit;
pub mod finding;
pub mod hostile;
pub mod interpreter;
pub mod moment;
pub mod page;
pub mod reach;
pub mod report;
pub mod reported;
pub mod review;
pub mod rule;
pub mod severity;
pub mod sha256;
pub mod standing;
pub mod status;
pub mod subcommand;
pub mod verdict;

pub use act::{Act, Endpoint, Object};
pub use actor::{Actor, ActorId, ActorKind, Package, compiles_a_macro};
pub use blame::{Blame, Candidate};
pub use drawn::is_drawn;
pub use event::{Event, Process};
pub use exception::{Exception, ExceptionState, ExceptionUse, Proposal};
pub use exit::Exit;
pub use finding::{Evidence, Finding};
pub use hostile::{Hostile, hex_byte};
pub use interpreter::is_interpreter;
pub use reach::Reach;
pub use reported::Span;
pub use review::Reviewed;
pub use rule::Rule;
pub use severity::Severity;
pub use standing::Standing;
pub use status::Status;
pub use verdict::{Breach, Judgement, Mode, Verdict};
