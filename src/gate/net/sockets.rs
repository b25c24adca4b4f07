//! The run's sockets: one maker for all, one [`Network`] per actor. Both come into being at the first inet socket.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use super::lock::lock;
use super::means::Maker;
use super::network::Network;
use super::peers::Peers;
use super::record::Recorder;
use crate::model::ActorId;
use crate::sink::Sink;

/// Shared by all actors of a run.
pub struct Sockets {
    maker: Arc<Maker>,
    networks: Mutex<HashMap<ActorId, Arc<Network>>>,
    /// What stands in place of the internet, where nothing may leave.
    sink: Option<Arc<Sink>>,
    /// Who really connected to whom.
    pub(super) peers: Peers,
}

impl Sockets {
    /// The best means this machine has. Costs nothing: the broker is started when the first inet socket is asked for.
    pub fn start() -> Sockets {
        Sockets::only(None)
    }

    /// These means (by their name, see `kind`) or none at all: the walls were built for them. A private network that cannot be had after
    /// all is no reason to hand out sockets of the host.
    pub fn only(means: Option<&'static str>) -> Sockets {
        Sockets { maker: Arc::new(Maker::only(means)), networks: Mutex::default(), sink: None, peers: Peers::default() }
    }

    /// With a sink in place of the internet, for every actor. It takes a private network (`kind`): elsewhere no actor gets an inet socket.
    pub fn sinking(self, sink: Option<Arc<Sink>>) -> Sockets {
        Sockets { sink, ..self }
    }

    /// Does a sink stand in place of the internet?
    pub fn sinks(&self) -> bool {
        self.sink.is_some()
    }

    /// `private-network`, `loopback-device` or `no-sockets`: what holds on this machine. Finds out when that is not known yet.
    pub fn kind(&self) -> &'static str {
        self.maker.kind()
    }

    /// Were other means promised than hold now? The report would say what is not so.
    pub fn broken(&self) -> bool {
        self.maker.broken()
    }

    /// Processes of ours: the one that makes the sockets, once there is one, and those that stood in for callers and are dead.
    pub fn helpers(&self) -> Vec<i32> {
        self.maker.broker().into_iter().chain(self.peers.stand_ins()).collect()
    }

    /// Whether actors' descriptors may be duplicated (`pidfd_getfd`, Linux 5.6).
    pub fn duplicates(&self) -> bool {
        self.maker.duplicates
    }

    /// The actor's network, made if need be.
    pub fn network_of(&self, actor: ActorId, recorder: impl FnOnce() -> Recorder) -> Arc<Network> {
        let mut networks = lock(&self.networks);
        let new = || Arc::new(Network::new(recorder(), actor.0, Arc::clone(&self.maker), self.sink.clone()));
        let network = networks.entry(actor).or_insert_with(new);
        Arc::clone(network)
    }

    /// The actor has ended. Waits until everything it sent before is in the journal.
    pub fn forget(&self, actor: ActorId) {
        let network = lock(&self.networks).remove(&actor);
        if let Some(network) = network {
            network.close();
        }
    }

    /// The run has ended: forgets every actor.
    pub fn finish(&self) {
        let networks: Vec<_> = lock(&self.networks).drain().map(|(_, network)| network).collect();
        for network in networks {
            network.close();
        }
    }
}
