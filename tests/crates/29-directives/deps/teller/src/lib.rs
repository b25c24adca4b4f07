//! A shared library, so that its compiler has something to link.
