//! What its tests write is beside it.
