//! Had a pull request that added "compile-time metadata".
