//! Names and the addresses they are told to have. In: names that were asked for. Out: for each an address of its own, which looks like a server's and is
//! the same in every run; and back from an address to its name.
//!
//! Whether a name exists is asked of sandboxes by those who look for one: a name that nobody has registered must not resolve. Which those are can only be
//! guessed: names under reserved domains, names of one label, and those whose registered label looks drawn by lot. Everything else exists. So a name
//! that was drawn by lot *and* registered (a domain generation algorithm's) is told not to exist, and one of words that nobody has registered is.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::lot::is_drawn;

/// Names remembered; later ones share the last address.
const MOST: usize = 16 << 10;
/// Where large hosters have their servers: the first two bytes, so that no name lands at an address with a meaning.
const NETWORKS: [[u8; 2]; 8] = [[104, 21], [172, 67], [104, 18], [34, 120], [52, 58], [185, 199], [151, 101], [162, 159]];
/// The metadata service of Google's cloud has a name.
const METADATA: [&str; 3] = ["metadata.google.internal", "metadata", "instance-data"];

#[derive(Default)]
pub struct Names {
    addresses: HashMap<String, u32>,
    names: HashMap<IpAddr, String>,
}

impl Names {
    /// The addresses of a name, in lower case and without a dot at its end; `None` where it does not exist.
    pub fn resolve(&mut self, name: &str) -> Option<(Ipv4Addr, Ipv6Addr)> {
        if name == "localhost" || name.ends_with(".localhost") {
            return Some((Ipv4Addr::LOCALHOST, Ipv6Addr::LOCALHOST));
        }
        if METADATA.contains(&name) {
            let address = Ipv4Addr::new(169, 254, 169, 254);
            self.names.insert(address.into(), name.into());
            return Some((address, address.to_ipv6_mapped()));
        }
        if !exists(name) {
            return None;
        }
        let place = match self.addresses.get(name) {
            Some(place) => *place,
            None => {
                let mut place = hash(name);
                while self.names.contains_key(&v4(place).into()) && self.addresses.len() < MOST {
                    place = place.wrapping_add(1);
                }
                if self.addresses.len() < MOST {
                    self.addresses.insert(name.to_owned(), place);
                    self.names.insert(v4(place).into(), name.to_owned());
                    self.names.insert(v6(place).into(), name.to_owned());
                }
                place
            }
        };
        Some((v4(place), v6(place)))
    }

    /// The name that was told to have this address.
    pub fn name_of(&self, address: IpAddr) -> Option<&str> {
        self.names.get(&address.to_canonical()).map(String::as_str)
    }
}

fn v4(place: u32) -> Ipv4Addr {
    let [network, high, low, _] = place.to_be_bytes();
    let [a, b] = NETWORKS[usize::from(network) % NETWORKS.len()];
    // No address ends in 0 or 255.
    Ipv4Addr::new(a, b, high, low % 254 + 1)
}

fn v6(place: u32) -> Ipv6Addr {
    Ipv6Addr::new(0x2606, 0x4700, 0x3030, 0, 0, 0, (place >> 16) as u16, place as u16)
}

/// FNV-1a: the same in every run.
fn hash(name: &str) -> u32 {
    name.bytes().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

/// Is this a name that somebody may have registered?
fn exists(name: &str) -> bool {
    let labels: Vec<&str> = name.split('.').collect();
    let [.., registered, top] = labels[..] else { return false };
    // RFC 6761, RFC 6762, RFC 8375; `.test` and `.example` are for people, and asked about by nobody who looks for sandboxes.
    let reserved = ["invalid", "local", "onion", "lan", "internal", "home"].contains(&top) || name.ends_with(".arpa");
    let valid = labels.iter().all(|label| !label.is_empty() && label.len() <= 63);
    valid && !reserved && !is_drawn(registered)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_name_has_an_address_of_its_own() {
        let mut names = Names::default();
        let mut seen = std::collections::HashSet::new();
        for number in 0..3000 {
            let name = format!("host-{number}.example");
            let (v4, v6) = names.resolve(&name).unwrap();
            assert!(seen.insert(IpAddr::from(v4)) && seen.insert(IpAddr::from(v6)), "{name}");
            assert_eq!((names.name_of(v4.into()), names.name_of(v6.into())), (Some(name.as_str()), Some(name.as_str())));
            assert_eq!(names.resolve(&name), Some((v4, v6)), "and keeps it");
            assert!(!v4.is_private() && !v4.is_loopback() && !v4.is_link_local());
        }
        assert_eq!(Names::default().resolve("host-7.example"), names.resolve("host-7.example"), "the same in every run");
    }

    #[test]
    fn who_looks_for_a_sandbox_finds_none() {
        let mut names = Names::default();
        for name in
            ["kq3vz8x1pw7trm2.com", "xkcdqwrtzp.net", "www.bcdfghjklmnpq.org", "nobody.invalid", "wpad", "printer.local", "a..b", ""]
        {
            assert_eq!(names.resolve(name), None, "{name}");
        }
        for name in [
            "api.telegram.org",
            "raw.githubusercontent.com",
            "discordapp.com",
            "static.packages.io",
            "kq3vz8x1pw7trm2.evil.example",
            "objects.githubusercontent.com",
            "timeapis.io",
            "storage.googleapis.com",
            "stackoverflow.com",
            "strengths-of-sphinx.co",
        ] {
            assert!(names.resolve(name).is_some(), "{name}");
        }
        assert_eq!(names.resolve("metadata.google.internal").unwrap().0, Ipv4Addr::new(169, 254, 169, 254));
        assert_eq!(names.resolve("localhost").unwrap().0, Ipv4Addr::LOCALHOST);
    }
}
