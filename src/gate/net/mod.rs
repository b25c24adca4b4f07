//! The network side of the gate: `socket`, `connect`, `sendto/sendmsg/sendmmsg`, `bind`. In: one notified call. Out: an `Answer`.
//!
//! Inet sockets are born where nothing can leave: in the actor's own network namespace (`broker`, `means`, `network`). An address is read
//! once (`endpoint`), judged, and used by us on the socket itself (`descriptor`, `connect`, `bind`) or on one of the host's that takes its
//! place. Datagrams and DNS stay inside and are relayed (`relay`, `resolver`). No connect is ever left to the kernel with the actor's own
//! pointer: by the time the kernel reads it, number and address could name a unix socket outside.

mod asked;
mod bind;
pub mod broker;
mod connect;
mod connecting;
mod descriptor;
pub mod dns;
pub mod endpoint;
mod exposed;
mod known;
mod lock;
mod means;
pub mod message;
mod neighbour;
mod network;
mod options;
mod peer;
mod peers;
mod placed;
mod record;
mod relay;
mod resolver;
mod send;
mod sinks;
mod socket;
mod sockets;
mod sunk;
mod tables;
mod unix;
mod visitors;
mod workers;

pub use bind::bind;
pub use broker::{ARGUMENT as BROKER_ARGUMENT, broker_main, rehearse};
pub use connect::connect;
pub use peer::peer;
pub use record::Recorder;
pub use send::send;
pub use socket::socket;
pub use sockets::Sockets;
