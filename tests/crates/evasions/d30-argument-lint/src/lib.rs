//! Compiled with more arguments than cargo knows, as what comes after it.
