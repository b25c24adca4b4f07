//! Nothing: the test acts.
