//! What its tests move is beside it.
