//! Proof before the build: a child is put behind the walls and must be refused what they are to refuse.
