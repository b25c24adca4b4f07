//! Its macro looks around.

remembering_macro::look!();
