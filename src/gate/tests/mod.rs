//! kernel tests
