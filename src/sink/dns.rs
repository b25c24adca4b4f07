//! DNS (RFC 1035) as a resolver answers it that knows every name. In: a query. Out: its question, and an answer with plausible records.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::names::Names;

const HEADER: usize = 12;
const LONGEST_NAME: usize = 255;
/// `TTL` of everything, in seconds.
const KEPT: u32 = 300;

pub const A: u16 = 1;
const NS: u16 = 2;
const CNAME: u16 = 5;
const SOA: u16 = 6;
const PTR: u16 = 12;
const MX: u16 = 15;
pub const TXT: u16 = 16;
pub const AAAA: u16 = 28;
const SRV: u16 = 33;
const ANY: u16 = 255;
const NXDOMAIN: u8 = 3;

/// What a query asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// Raw bytes of each label, as they were sent.
    pub labels: Vec<Vec<u8>>,
    pub kind: u16,
    /// Where the question section ends.
    end: usize,
}

impl Question {
    /// One that came in another form than a query's.
    pub fn of(name: &str, kind: u16) -> Question {
        Question { labels: name.split('.').map(|label| label.as_bytes().to_vec()).collect(), kind, end: 0 }
    }

    /// In lower case, dotted; bytes that are no text replaced.
    pub fn name(&self) -> String {
        String::from_utf8_lossy(&self.labels.join(&b'.')).to_ascii_lowercase()
    }

    /// `A`, `AAAA` …
    pub fn kind_name(&self) -> String {
        let name = match self.kind {
            A => "A",
            NS => "NS",
            CNAME => "CNAME",
            SOA => "SOA",
            PTR => "PTR",
            MX => "MX",
            TXT => "TXT",
            AAAA => "AAAA",
            SRV => "SRV",
            ANY => "ANY",
            other => return format!("TYPE{other}"),
        };
        name.into()
    }
}

/// The first question of a query; `None` where it is none.
pub fn question(query: &[u8]) -> Option<Question> {
    if query.get(2)? & 0x80 != 0 || word(query, 4)? == 0 {
        return None;
    }
    let (mut at, mut labels, mut total) = (HEADER, Vec::new(), 0);
    loop {
        let length = usize::from(*query.get(at)?);
        if length > 63 {
            return None;
        }
        at += 1;
        if length == 0 {
            break;
        }
        labels.push(query.get(at..at + length)?.to_vec());
        at += length;
        total += length + 1;
        if total > LONGEST_NAME {
            return None;
        }
    }
    Some(Question { labels, kind: word(query, at)?, end: at + 4 }).filter(|question| question.end <= query.len())
}

/// The answer to a query with this question. `v6`: is there IPv6 at all?
pub fn answer(query: &[u8], question: &Question, names: &mut Names, v6: bool) -> Vec<u8> {
    let name = question.name();
    let found = if question.kind == PTR { None } else { names.resolve(&name) };
    let back = (question.kind == PTR).then(|| pointed(&name).and_then(|address| names.name_of(address)).map(str::to_owned)).flatten();
    let records = records(question.kind, &name, found, back.as_deref(), v6);
    let mut out = query[..question.end].to_vec();
    // A response; opcode and the wish for recursion stay; recursion is there.
    out[2] = 0x80 | query[2] & 0x79;
    out[3] = 0x80 | if found.is_none() && back.is_none() { NXDOMAIN } else { 0 };
    out[4..HEADER].copy_from_slice(&[0, 1, 0, records.len() as u8, 0, 0, 0, 0]);
    for (kind, data) in records {
        // The name of the question, class IN.
        out.extend([0xc0, HEADER as u8]);
        out.extend(kind.to_be_bytes());
        out.extend([0, 1]);
        out.extend(KEPT.to_be_bytes());
        out.extend((data.len() as u16).to_be_bytes());
        out.extend(data);
    }
    out
}

fn records(kind: u16, name: &str, found: Option<(Ipv4Addr, Ipv6Addr)>, back: Option<&str>, v6: bool) -> Vec<(u16, Vec<u8>)> {
    if let Some(back) = back {
        return vec![(PTR, encoded(back))];
    }
    let Some((four, six)) = found else { return Vec::new() };
    let below = |label: &str| encoded(&format!("{label}.{name}"));
    let text = |text: &str| [&[text.len() as u8], text.as_bytes()].concat();
    match kind {
        A => vec![(A, four.octets().to_vec())],
        AAAA if v6 && six.to_ipv4_mapped().is_none() => vec![(AAAA, six.octets().to_vec())],
        ANY => vec![(A, four.octets().to_vec())],
        MX => vec![(MX, [&[0, 10][..], &below("mail")].concat())],
        NS => vec![(NS, below("ns1")), (NS, below("ns2"))],
        TXT => vec![(TXT, text("v=spf1 -all"))],
        // Priority, weight, port, target: the name without its service and protocol.
        SRV => {
            let host = name.split('.').filter(|label| !label.starts_with('_')).collect::<Vec<_>>().join(".");
            vec![(SRV, [&[0, 10, 0, 5, 0x01, 0xbb][..], &encoded(&host)].concat())]
        }
        SOA => {
            let numbers = [2_026_010_101u32, 7200, 3600, 1_209_600, KEPT].map(u32::to_be_bytes).concat();
            vec![(SOA, [below("ns1"), below("hostmaster"), numbers].concat())]
        }
        _ => Vec::new(),
    }
}

/// The address that a name below `in-addr.arpa` is about.
fn pointed(name: &str) -> Option<IpAddr> {
    let parts: Vec<&str> = name.strip_suffix(".in-addr.arpa")?.split('.').collect();
    let mut bytes: Vec<u8> = parts.iter().filter_map(|part| part.parse().ok()).collect();
    bytes.reverse();
    <[u8; 4]>::try_from(bytes).ok().map(IpAddr::from)
}

fn encoded(name: &str) -> Vec<u8> {
    let mut out = Vec::new();
    for label in name.split('.').filter(|label| !label.is_empty()) {
        let label = &label.as_bytes()[..label.len().min(63)];
        if out.len() + label.len() + 2 > LONGEST_NAME {
            break;
        }
        out.push(label.len() as u8);
        out.extend(label);
    }
    out.push(0);
    out
}

fn word(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(name: &str, kind: u16) -> Vec<u8> {
        [&[0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 1][..], &encoded(name), &kind.to_be_bytes(), &[0, 1], b"\0\0\x29\x10\0\0\0\0\0\0\0"]
            .concat()
    }

    fn asked(name: &str, kind: u16, names: &mut Names) -> Vec<u8> {
        let query = query(name, kind);
        answer(&query, &question(&query).unwrap(), names, true)
    }

    #[test]
    fn every_kind_has_its_record() {
        let mut names = Names::default();
        let (four, six) = names.resolve("evil.example").unwrap();
        let of_a = asked("Evil.Example", A, &mut names);
        assert_eq!(of_a[..12], [0x12, 0x34, 0x81, 0x80, 0, 1, 0, 1, 0, 0, 0, 0]);
        assert!(of_a.ends_with(&four.octets()) && asked("evil.example", AAAA, &mut names).ends_with(&six.octets()));
        for kind in [NS, SOA, MX, TXT, SRV, ANY] {
            let answer = asked("_https._tcp.evil.example", kind, &mut names);
            assert!(answer[7] >= 1 && answer[3] & 0xf == 0, "{kind}");
        }
        let four = four.octets();
        let back = asked(&format!("{}.{}.{}.{}.in-addr.arpa", four[3], four[2], four[1], four[0]), PTR, &mut names);
        assert!(back.ends_with(&encoded("evil.example")));
    }

    #[test]
    fn no_name_and_no_data() {
        let mut names = Names::default();
        let missing = asked("nobody.invalid", A, &mut names);
        assert_eq!((missing[3] & 0xf, missing[7]), (NXDOMAIN, 0));
        let query = query("evil.example", AAAA);
        let none = answer(&query, &question(&query).unwrap(), &mut names, false);
        assert_eq!((none[3] & 0xf, none[7]), (0, 0), "no IPv6: the name is there, without such a record");
        assert_eq!(asked("10.2.0.192.in-addr.arpa", PTR, &mut names)[3] & 0xf, NXDOMAIN);
    }

    #[test]
    fn broken_queries_have_no_question() {
        let good = query("a.example", A);
        let whole = question(&good).unwrap();
        assert_eq!((whole.labels, whole.kind), (vec![b"a".to_vec(), b"example".to_vec()], A));
        for cut in 0..good.len() - 11 {
            assert_eq!(question(&good[..cut]), None, "cut at {cut}");
        }
        let mut pointer = good.clone();
        pointer[12] = 0xc0;
        assert_eq!(question(&pointer), None);
        let mut response = good;
        response[2] |= 0x80;
        assert_eq!(question(&response), None);
    }
}
