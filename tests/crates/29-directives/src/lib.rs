//! A shared library, so that what dependencies say about such reaches it.
