//! DNS questions that reached a sink: judged name by name, and for DNS over TCP the whole conversation. In: queries. Out: events, answers,
//! and the host names of addresses.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::fd::OwnedFd;
use std::time::Duration;

use super::network::Network;
use super::sinks::{Caller, Transport};
use super::{dns, visitors};
use crate::model::{Act, Hostile, Mode, Verdict};
use crate::sink::Visit;

/// Where name servers listen.
pub const PORT: u16 = 53;

const PATIENCE: Duration = Duration::from_secs(10);
/// Questions in one TCP conversation.
const MOST_TURNS: usize = 100;

/// The query was refused.
pub struct Refused;

/// Judges every name of a query. What is no query is judged as a plain datagram to that address.
///
/// # Errors
/// [`Refused`] when any of it is refused: the query must not be forwarded.
pub fn judge(network: &Network, transport: Transport, via: SocketAddr, query: &[u8], caller: &Caller) -> Result<Vec<Vec<u8>>, Refused> {
    let names = dns::names(query);
    let acts: Vec<Act> = match &names {
        Some(names) => names.iter().map(|name| lookup(network, transport, via, name)).collect(),
        None => vec![Act::Send { to: network.endpoint(transport.name(), via) }],
    };
    let mut refused = false;
    for act in acts {
        let judgement = network.recorder.judge(caller.pid, act, None, caller.blame.clone());
        refused |= !matches!(judgement.verdict, Verdict::Allow | Verdict::Decoy);
    }
    if refused { Err(Refused) } else { Ok(names.unwrap_or_default()) }
}

/// What a sink that stands in place of the internet says to a query, once that is judged; `None` where nothing is to be said.
pub fn answer(network: &Network, transport: Transport, visit: &Visit, query: &[u8], caller: &Caller) -> Option<Vec<u8>> {
    let sink = network.sink()?;
    let Ok(asked) = judge(network, transport, visit.to, query, caller) else { return dns::refusal(query) };
    let answer = sink.ask(visit, query)?;
    learn(network, &asked, &answer);
    Some(answer)
}

/// The act of looking a name up.
fn lookup(network: &Network, transport: Transport, via: SocketAddr, name: &[u8]) -> Act {
    Act::Lookup { name: Hostile::new(name), via: network.endpoint(transport.name(), via) }
}

/// Takes the addresses out of an answer to a question that was judged.
pub fn learn(network: &Network, asked: &[Vec<u8>], answer: &[u8]) {
    if let Some((name, addresses)) = dns::answers(answer)
        && asked.iter().any(|asked| asked.eq_ignore_ascii_case(&name))
    {
        network.learn(&name.to_ascii_lowercase(), &addresses);
    }
}

/// A whole conversation of DNS over TCP, on a worker's thread. Ends quietly: the other side sees the connection close.
pub fn serve_stream(network: &Network, visitor: OwnedFd, to: SocketAddr, caller: &Caller) {
    let _ = converse(network, TcpStream::from(visitor), to, caller);
}

fn converse(network: &Network, mut visitor: TcpStream, to: SocketAddr, caller: &Caller) -> io::Result<()> {
    visitor.set_nonblocking(false)?;
    visitor.set_read_timeout(Some(PATIENCE))?;
    visitor.set_write_timeout(Some(PATIENCE))?;
    let from = visitor.peer_addr()?;
    let mut upstream: Option<TcpStream> = None;
    for _ in 0..MOST_TURNS {
        let query = read_framed(&mut visitor)?;
        if network.sink().is_some() {
            let visit = visitors::visit(network, Transport::Tcp, from, to, caller);
            let answer = answer(network, Transport::Tcp, &visit, &query, caller).or_else(|| dns::refusal(&query));
            write_framed(&mut visitor, &answer.ok_or(io::ErrorKind::InvalidData)?)?;
            continue;
        }
        let Ok(asked) = judge(network, Transport::Tcp, to, &query, caller) else {
            write_framed(&mut visitor, &dns::refusal(&query).ok_or(io::ErrorKind::InvalidData)?)?;
            continue;
        };
        let bare = if network.recorder.policy.mode != Mode::Observe { dns::bare(&query) } else { None };
        let onward = match &mut upstream {
            Some(open) => open,
            none => {
                network.leads_out()?;
                let fresh = TcpStream::connect_timeout(&to, PATIENCE)?;
                fresh.set_read_timeout(Some(PATIENCE))?;
                fresh.set_write_timeout(Some(PATIENCE))?;
                none.insert(fresh)
            }
        };
        write_framed(onward, bare.as_deref().unwrap_or(&query))?;
        let answer = read_framed(onward)?;
        learn(network, &asked, &answer);
        write_framed(&mut visitor, &answer)?;
    }
    Ok(())
}

/// RFC 1035 §4.2.2: two bytes of length, then the message.
fn read_framed(stream: &mut TcpStream) -> io::Result<Vec<u8>> {
    let mut length = [0; 2];
    stream.read_exact(&mut length)?;
    let mut message = vec![0; usize::from(u16::from_be_bytes(length))];
    stream.read_exact(&mut message)?;
    Ok(message)
}

fn write_framed(stream: &mut TcpStream, message: &[u8]) -> io::Result<()> {
    let length = u16::try_from(message.len()).map_err(|_| io::ErrorKind::InvalidData)?;
    stream.write_all(&[&length.to_be_bytes(), message].concat())
}
