//! A run in which a sink stands in place of the internet: a stage of `try`; or `--sink DIR`, for developers and tests. In: the directory, canaries to look for.
//! Out: the sink, or why there can be none.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, anyhow};

use super::stage::Env;
use super::stopped::Stopped;
use crate::model::{Canary, Lure, Mode};
use crate::plan::host::Sockets;
use crate::sink::Sink;

/// In the directory: what is looked for, a list of [`Canary`] in JSON.
const CANARIES: &str = "canaries.json";

/// Opens it.
///
/// # Errors
/// Where there is no private network for each actor; in enforce mode, which would refuse what a sink is there to hear; and where the directory or the list
/// in it is not to be had.
pub fn open(dir: &Path, mode: Mode, sockets: Sockets) -> Result<Arc<Sink>, Stopped> {
    if sockets != Sockets::PrivateNetwork {
        return Err(Stopped::wall(anyhow!(
            "`--sink` takes a network namespace for each actor, which cannot be had here ({})\n  help: nothing but such a namespace keeps everything in; `cargo brig doctor` says what is missing",
            sockets.name()
        )));
    }
    if mode == Mode::Enforce {
        return Err(Stopped::usage(anyhow!("`--sink` hears what is let happen: with `--mode observe`")));
    }
    let list = dir.join(CANARIES);
    let canaries: Vec<Canary> = match std::fs::read(&list) {
        Ok(text) => serde_json::from_slice(&text).with_context(|| format!("read {}", list.display())).map_err(Stopped::usage)?,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
        Err(error) => return Err(Stopped::usage(anyhow!(error).context(format!("read {}", list.display())))),
    };
    Sink::open(dir, canaries, None).with_context(|| format!("open a sink in {}", dir.display())).map_err(Stopped::usage)
}

/// What programs are told of a certificate by: OpenSSL's, curl's, git's, Python's and Node's.
const CERTIFICATES: [&str; 5] = ["SSL_CERT_FILE", "CURL_CA_BUNDLE", "GIT_SSL_CAINFO", "REQUESTS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS"];

/// Opens the sink of a stage of `try`, with the variables that say where its certificate lies: in a place of ours, where nobody among the decoys can put
/// anything.
///
/// # Errors
/// Where the directory cannot be written to.
pub fn among_decoys(lure: &Lure, env: &mut Env) -> Result<Arc<Sink>, Stopped> {
    let opened = Sink::open(&lure.sink, lure.canaries.clone(), lure.shift.map(|shift| shift.seconds));
    let sink = opened.with_context(|| format!("open a sink in {}", lure.sink.display())).map_err(Stopped::usage)?;
    for name in CERTIFICATES {
        env.retain(|(known, _)| known != name);
        env.push((name.into(), sink.authority().into_os_string()));
    }
    Ok(sink)
}
