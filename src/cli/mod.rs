//! What was typed: arguments and `BRIG_*` variables, no I/O.
