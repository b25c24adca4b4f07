//! Leaves artefacts.
