//! Who did it: stacks of stopped threads to crates (`stack`), and crates, objects and manifest directories to packages of the build
//! graph (`graph`). In: thread ids, `cargo metadata`. Out: `model::Blame`, `model::Package`.

pub mod stack;
