//! The closed list of rules. Each has one file with its decision and one page for `explain` under `judge/rules/`.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

macro_rules! rules {
    ($($variant:ident = $id:literal,)+) => {
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Rule { $($variant,)+ }

        impl Rule {
            pub const ALL: &'static [Rule] = &[$(Rule::$variant,)+];

            /// `class/name`.
            pub fn id(self) -> &'static str {
                match self { $(Rule::$variant => $id,)+ }
            }

            pub fn from_id(id: &str) -> Option<Rule> {
                match id { $($id => Some(Rule::$variant),)+ _ => None }
            }
        }
    };
}

rules! {
    SecretRead = "secret/read",
    SecretThenNetwork = "secret/then-network",
    NetConnect = "net/connect",
    NetDns = "net/dns",
    NetBind = "net/bind",
    FsReadOutside = "fs/read-outside",
    FsWriteOutside = "fs/write-outside",
    FsPersist = "fs/persist",
    FsWriteSource = "fs/write-source",
    FsForeignArtifact = "fs/foreign-artifact",
    ExecUnexpected = "exec/unexpected",
    ExecDownloader = "exec/downloader",
    ExecDropped = "exec/dropped",
    IpcAgent = "ipc/agent",
    CiCommandFile = "ci/command-file",
    ProcTamper = "proc/tamper",
    ProcSurvivor = "proc/survivor",
    ProcTimeout = "proc/timeout",
    EnvWithheld = "env/withheld",
    EnvLoader = "env/loader",
    LinkLoader = "link/loader",
    PackageMalicious = "package/malicious",
    PackageDenied = "package/denied",
    BaselineUnaccepted = "baseline/unaccepted",
    BaselineNew = "baseline/new",
    PolicyExpired = "policy/expired",
    PolicyUnused = "policy/unused",
    PolicyTooWide = "policy/too-wide",
    CoverageLost = "coverage/lost",
    CoverageDegraded = "coverage/degraded",
}

impl Serialize for Rule {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.id())
    }
}

impl<'de> Deserialize<'de> for Rule {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let id = String::deserialize(deserializer)?;
        Rule::from_id(&id).ok_or_else(|| serde::de::Error::custom(format!("unknown rule `{id}`")))
    }
}
