//! DNS within HTTP: RFC 8484, and the JSON form that large resolvers have beside it. In: a request. Out: its question and the answer; nothing where it asks
//! for no name.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::answers::Answer;
use super::dns::{self, Question};
use super::http::Request;
use super::names::Names;
use super::views;

/// `v6`: is there IPv6 at all?
pub fn answer(request: &Request, names: &mut Names, v6: bool) -> Option<(Question, Answer)> {
    let parameter = |wanted: &str| request.query().find(|(name, _)| *name == wanted).map(|(_, value)| value.to_owned());
    if request.header("content-type") == Some("application/dns-message") {
        return binary(&request.body, names, v6);
    }
    if !matches!(request.path(), "/dns-query" | "/resolve") {
        return None;
    }
    if let Some(encoded) = parameter("dns") {
        let query = views::whole(encoded.as_bytes()).find(|(name, _)| *name == "base64").map(|(_, query)| query)?;
        return binary(&query, names, v6);
    }
    json(&parameter("name")?, &parameter("type").unwrap_or_default(), names, v6)
}

fn binary(query: &[u8], names: &mut Names, v6: bool) -> Option<(Question, Answer)> {
    let question = dns::question(query)?;
    let answer = dns::answer(query, &question, names, v6);
    Some((question, Answer::of("application/dns-message", answer)))
}

/// As Google's and Cloudflare's resolvers write it.
fn json(name: &str, kind: &str, names: &mut Names, v6: bool) -> Option<(Question, Answer)> {
    let kind = match kind.to_ascii_uppercase().as_str() {
        "" | "A" | "1" => dns::A,
        "AAAA" | "28" => dns::AAAA,
        "TXT" | "16" => dns::TXT,
        other => other.parse().ok()?,
    };
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    let found: Option<(Ipv4Addr, Ipv6Addr)> = names.resolve(&name);
    let data = match (kind, found) {
        (dns::A, Some((v4, _))) => Some(v4.to_string()),
        (dns::AAAA, Some((_, six))) if v6 => Some(six.to_string()),
        (dns::TXT, Some(_)) => Some("v=spf1 -all".to_owned()),
        _ => None,
    };
    let records: Vec<_> = data.iter().map(|data| serde_json::json!({ "name": name, "type": kind, "TTL": 300, "data": data })).collect();
    let status = if found.is_some() { 0 } else { 3 };
    let question = serde_json::json!([{ "name": name, "type": kind }]);
    let told = serde_json::json!({
        "Status": status, "TC": false, "RD": true, "RA": true, "AD": false, "CD": false, "Question": question, "Answer": records,
    });
    Some((Question::of(&name, kind), Answer { kind: "application/dns-json", ..Answer::json(&told.to_string()) }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(target: &str) -> Option<(Question, Answer)> {
        answer(&Request { method: "GET".into(), target: target.into(), ..Request::default() }, &mut Names::default(), true)
    }

    #[test]
    fn both_forms_are_answered() {
        let (four, _) = Names::default().resolve("evil.example").unwrap();
        let (question, told) = asked("/resolve?name=Evil.Example&type=A").unwrap();
        assert_eq!((question.name().as_str(), question.kind), ("evil.example", dns::A));
        let told: serde_json::Value = serde_json::from_slice(&told.body).unwrap();
        assert_eq!((&told["Status"], told["Answer"][0]["data"].as_str()), (&0.into(), Some(four.to_string().as_str())));
        // The example of RFC 8484 §4.1.1: www.example.com, type A.
        let (question, told) = asked("/dns-query?dns=AAABAAABAAAAAAAAA3d3dwdleGFtcGxlA2NvbQAAAQAB").unwrap();
        assert_eq!((question.name().as_str(), told.kind, told.body[7]), ("www.example.com", "application/dns-message", 1));
        let missing = asked("/resolve?name=nobody.invalid").unwrap().1;
        assert!(String::from_utf8(missing.body).unwrap().contains("\"Status\":3"));
        assert!(asked("/resolved?name=x.example").is_none() && asked("/dns-query?dns=!!").is_none());
    }
}
