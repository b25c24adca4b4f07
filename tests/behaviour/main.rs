//! Behaviour on real cargo and a real kernel. Every case of the zoo (`tests/crates/`, one trick each) is first run under plain cargo,
//! where it must really do its harm to a canary, and then under `cargo-brig`, where it must not, and where the report must name who
//! tried. Honest builds must pass through silently and come out byte for byte the same. As root every case runs twice: as root and as
//! an ordinary user.
//!
//! `place` is a throw-away machine (home, workspace, canaries), `sink` listens where stolen goods would arrive, `run` runs programs
//! there, `isle` is a network of its own to run them in, `who` is the user they run as, `effect` is what an act leaves behind, `picture`
//! what nobody may change, `finding` reads the report, `control` remembers what won.

mod apart;
mod artefacts;
mod barred;
mod baseline;
mod callers;
mod cargos_wall;
mod ci;
mod compilers;
mod configurations;
mod control;
mod demo;
mod deputies;
mod directives;
mod effect;
mod endurance;
mod evidence;
mod exceptions;
mod exits;
mod finding;
mod floors;
mod followed;
mod footing;
mod given;
mod ground;
mod grounds;
mod guise;
mod habits;
mod honest;
mod imported;
mod instrumented;
mod isle;
mod kept;
mod lifetime;
mod modes;
mod names;
mod network;
mod newcomers;
mod objects;
mod offered;
mod phases;
mod picture;
mod place;
mod pointed;
mod privileges;
mod races;
mod reached;
mod remedies;
mod remembered;
mod replayed;
mod repository;
mod reviewed;
mod run;
mod sink;
mod started;
mod steering;
mod storm;
mod stress;
mod sunk;
mod suspected;
mod terminals;
mod trying;
mod unnoticed;
mod volumes;
mod warm;
mod whence;
mod who;
mod words;
mod zoo;
