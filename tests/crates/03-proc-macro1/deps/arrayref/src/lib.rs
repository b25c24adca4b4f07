//! Ten years without a dependency; then came 0.3.10.
