//! The report: `assemble` makes it from the journal; renderers are pure functions of `&Report` and a writer. No clock, no environment.
