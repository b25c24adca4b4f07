//! Nothing: what counts is what is depended on.
