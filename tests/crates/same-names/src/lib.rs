//! Uses two crates of one name, from two places.
