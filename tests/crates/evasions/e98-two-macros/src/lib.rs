//! Uses an honest macro before and after.

honest_macro::nothing!();
second_macro::act!();
honest_macro::nothing!();
