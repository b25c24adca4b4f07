//! Re-enacts `arrayref` 0.3.10 (August 2026): ten years without a dependency, then this one.
