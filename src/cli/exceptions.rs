//! What may be typed behind `allow` and `deny`, for clap to read. What it means is checked where it is written down.

use clap::ArgGroup;
use clap::builder::NonEmptyStringValueParser;

use super::reports::Of;

/// `cargo brig allow …`: from findings of the last report, or word for word.
#[derive(Clone, Debug, Default, PartialEq, Eq, clap::Args)]
#[command(group = ArgGroup::new("actor").args(["build_script", "proc_macro", "program", "rustc", "rustdoc"]).conflicts_with("from"))]
pub struct Allow {
    /// Whom it is for: a package of one version from the public registry, `path#CRATE@VERSION` for a path package, `SOURCE#…` as Cargo.lock has it for another
    /// source, or `workspace` for all members
    #[arg(value_name = "CRATE@VERSION", required_unless_present = "from", conflicts_with = "from", requires = "actor")]
    pub whom: Option<String>,
    /// What these findings of the last report were about
    #[arg(long, value_name = "F1", num_args = 1.., value_parser = NonEmptyStringValueParser::new())]
    pub from: Vec<String>,
    #[command(flatten)]
    pub of: Of,
    /// Its build script
    #[arg(long)]
    pub build_script: bool,
    /// Its macro, in compilers of packages that need it
    #[arg(long)]
    pub proc_macro: bool,
    /// Its tests, benches, examples and programs
    #[arg(long)]
    pub program: bool,
    /// Its compiler, with all macros in it
    #[arg(long)]
    pub rustc: bool,
    /// Its documentation
    #[arg(long)]
    pub rustdoc: bool,
    /// What Cargo.lock has to say of it: the very code that was looked at
    #[arg(long, value_name = "SHA-256", conflicts_with = "from")]
    pub checksum: Option<String>,
    /// A file or directory it may read; a secret only by its own name
    #[arg(long, value_name = "PATH", conflicts_with = "from")]
    pub read: Vec<String>,
    /// A file or directory it may write
    #[arg(long, value_name = "PATH", conflicts_with = "from")]
    pub write: Vec<String>,
    /// A program it may run
    #[arg(long, value_name = "PROGRAM", conflicts_with = "from")]
    pub exec: Vec<String>,
    /// What those programs have to be told first, word by word (`--exec /usr/bin/git --arguments rev-parse`); held by the gate, not by the kernel
    #[arg(long, value_name = "WORD", requires = "exec", allow_hyphen_values = true)]
    pub arguments: Vec<String>,
    /// A destination it may reach
    #[arg(long, value_name = "HOST:PORT", conflicts_with = "from")]
    pub connect: Vec<String>,
    /// A socket it may use
    #[arg(long, value_name = "PATH", conflicts_with = "from")]
    pub unix: Vec<String>,
    /// A variable it may know, and of secrets it reads the only ones
    #[arg(long, value_name = "NAME", conflicts_with = "from")]
    pub reveal: Vec<String>,
    /// A crate that has to be on the stack when a program or build script does it; evidence, and no boundary: code can forge its own stack
    #[arg(long, value_name = "CRATE", conflicts_with = "from")]
    pub via: Vec<String>,
    /// Why
    #[arg(long, value_name = "WHY", value_parser = reason)]
    pub reason: String,
    /// The last day it counts (`2027-02-01`), or `never`; a year from today by default
    #[arg(long, value_name = "DATE")]
    pub expires: Option<String>,
    /// Who says so
    #[arg(long, value_name = "WHO", value_parser = NonEmptyStringValueParser::new())]
    pub by: Option<String>,
    /// Also what is wider than anybody can have looked at
    #[arg(long)]
    pub wide: bool,
}

/// `cargo brig deny …`
#[derive(Clone, Debug, Default, PartialEq, Eq, clap::Args)]
pub struct Deny {
    /// A package that no build may hold, whatever its version
    #[arg(value_name = "CRATE")]
    pub name: String,
    /// Why
    #[arg(long, value_name = "WHY", value_parser = reason)]
    pub reason: String,
    /// Who says so
    #[arg(long, value_name = "WHO", value_parser = NonEmptyStringValueParser::new())]
    pub by: Option<String>,
}

/// What a finding prints ends with `--reason …`, to be filled in.
fn reason(text: &str) -> Result<String, String> {
    match text.chars().all(|c| c.is_whitespace() || matches!(c, '.' | '…')) {
        true => Err("say why, in your own words".to_owned()),
        false => Ok(text.to_owned()),
    }
}
