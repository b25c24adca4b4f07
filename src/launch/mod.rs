//! Starts cargo, follows its process events, and confines every program it starts at the exec stop, before its first instruction.
