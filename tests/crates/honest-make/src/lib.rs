//! Made by make.
