//! Compiled with more arguments than cargo knows.
