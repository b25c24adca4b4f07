//! Uses crates and never looks inside.

meddler::meddle!();
