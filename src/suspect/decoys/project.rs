//! The sources in the workspace: a small service without dependencies that builds. In: nothing. Out: paths with texts, in the order in which
//! they came to be.

/// The name of the package that the workspace is about.
pub const PROJECT: &str = "tidemark";

/// Not a file of its own: a directory with a manifest is left out of whatever contains it.
const MANIFEST: &str = "[package]
name = \"tidemark\"
version = \"0.4.1\"
edition = \"2021\"
publish = false

[dependencies]
";

macro_rules! files {
    ($($path:literal,)+) => { &[("Cargo.toml", MANIFEST), $(($path, include_str!(concat!("../../../profiles/decoys/project/", $path))),)+] };
}

pub const FILES: &[(&str, &str)] = files![
    "README.md",
    "src/main.rs",
    "src/station.rs",
    "src/harmonics.rs",
    "src/config.rs",
    "config/default.toml",
    "migrations/0001_stations.sql",
    "migrations/0002_readings.sql",
    "docker-compose.yml",
    "Makefile",
    "docs/deploy.md",
];

/// The messages of commits, the first file's first.
pub const MESSAGES: [&str; 12] = [
    "Empty package",
    "Start",
    "Predict the tide of one station",
    "stations: names, positions and time zones",
    "harmonics: sum the constituents",
    "config: from the environment, with defaults",
    "config: defaults in a file of their own",
    "db: stations",
    "db: readings, by station and hour",
    "dev: database and cache in containers",
    "make: what one types every day",
    "docs: how it is deployed",
];
