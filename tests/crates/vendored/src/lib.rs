//! Needs a package with a build script and one with a macro, which lie in a vendored tree in place of the registry.

given_macro::made!();
