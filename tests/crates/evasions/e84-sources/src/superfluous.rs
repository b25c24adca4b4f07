//! Nobody needs this file; the build script removes it.
