//! Whatever these tests see, the kernel does to the caller itself: terminals, its own sandbox, limits, signals, credentials, queues.
#![cfg(test)]

mod c;
mod datagrams;
mod groups;
mod itself;
mod memory;
mod peers;
mod queues;
mod sandbox;
mod terminal;
mod waiting;
