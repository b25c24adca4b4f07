//! Requests and answers as a HAR 1.2 archive, which browsers' tools open. In: conversations. Out: JSON.

use serde_json::{Value, json};

use super::date;
use super::kept::{Exchange, Talk};
use crate::model::base64::base64;

/// `opened`: milliseconds since 1970.
pub fn archive(talks: &[Talk], opened: u64) -> Value {
    let mut all: Vec<(&Exchange, &Talk)> =
        talks.iter().flat_map(|talk| talk.exchanges.iter().map(move |exchange| (exchange, talk))).collect();
    all.sort_by_key(|(exchange, _)| exchange.at);
    let entries: Vec<Value> = all.into_iter().map(|(exchange, talk)| entry(exchange, talk, opened)).collect();
    json!({ "log": {
        "version": "1.2",
        "creator": { "name": "cargo-brig", "version": env!("CARGO_PKG_VERSION"), "comment": "answered by a sink: nothing left the machine" },
        "entries": entries,
    }})
}

fn entry(exchange: &Exchange, talk: &Talk, opened: u64) -> Value {
    let (request, answer) = (&exchange.request, &exchange.answer);
    let scheme = if exchange.secure { "https" } else { "http" };
    let url =
        if request.target.starts_with('/') { format!("{scheme}://{}{}", exchange.host, request.target) } else { request.target.clone() };
    let pairs =
        |pairs: Vec<(&str, &str)>| pairs.into_iter().map(|(name, value)| json!({ "name": name, "value": value })).collect::<Vec<_>>();
    let headers = |headers: Vec<(&str, &str)>| pairs(headers);
    let mut asked = json!({
        "method": request.method,
        "url": url,
        "httpVersion": "HTTP/1.1",
        "cookies": [],
        "headers": headers(request.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()),
        "queryString": pairs(request.query().collect()),
        "headersSize": -1,
        "bodySize": request.length,
    });
    if !request.body.is_empty() {
        let (text, encoding) = text(&request.body);
        let mut data = json!({ "mimeType": request.header("content-type").unwrap_or(""), "params": [], "text": text });
        if let Some(encoding) = encoding {
            data["comment"] = json!(format!("text is {encoding}"));
        }
        asked["postData"] = data;
    }
    let (body, encoding) = text(&answer.body);
    let mut content = json!({ "size": answer.body.len(), "mimeType": answer.kind, "text": body });
    if let Some(encoding) = encoding {
        content["encoding"] = json!(encoding);
    }
    json!({
        "startedDateTime": date::iso(opened + exchange.at),
        "time": 0,
        "request": asked,
        "response": {
            "status": answer.status,
            "statusText": answer.reason(),
            "httpVersion": "HTTP/1.1",
            "cookies": [],
            "headers": headers(answer.headers.iter().map(|(name, value)| (*name, value.as_str())).collect()),
            "content": content,
            "redirectURL": "",
            "headersSize": -1,
            "bodySize": answer.body.len(),
        },
        "cache": {},
        "timings": { "send": 0, "wait": 0, "receive": 0 },
        "serverIPAddress": talk.visit.to.ip().to_string(),
        "connection": talk.visit.from.port().to_string(),
    })
}

/// As text, or in base64 where it is none.
fn text(bytes: &[u8]) -> (String, Option<&'static str>) {
    match std::str::from_utf8(bytes) {
        Ok(text) => (text.to_owned(), None),
        Err(_) => (base64(bytes), Some("base64")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sink::answers::Answer;
    use crate::sink::http::Request;
    use crate::sink::kept::Kept;
    use crate::sink::kept::tests::visit;

    #[test]
    fn what_the_form_requires_is_there() {
        let mut draft = Kept::default().begin(visit("192.0.2.1:443"), None);
        let request = Request { method: "POST".into(), target: "/a?b=c".into(), body: vec![0xff, 0], length: 2, ..Request::default() };
        draft.exchanged(Exchange { at: 5, secure: true, host: "x.example".into(), request, answer: Answer::text("yes") });
        let told = archive(&[draft.talk], 1_798_761_599_000);
        let entry = &told["log"]["entries"][0];
        assert_eq!(told["log"]["version"], "1.2");
        assert_eq!(
            (&entry["startedDateTime"], &entry["request"]["url"]),
            (&json!("2026-12-31T23:59:59.005Z"), &json!("https://x.example/a?b=c"))
        );
        assert_eq!((&entry["request"]["postData"]["text"], &entry["response"]["content"]["text"]), (&json!("/wA="), &json!("yes")));
        for key in ["method", "url", "httpVersion", "cookies", "headers", "queryString", "headersSize", "bodySize"] {
            assert!(!entry["request"][key].is_null(), "{key}");
        }
        for key in ["status", "statusText", "httpVersion", "cookies", "headers", "content", "redirectURL", "headersSize", "bodySize"] {
            assert!(!entry["response"][key].is_null(), "{key}");
        }
        for key in ["startedDateTime", "time", "cache", "timings"] {
            assert!(!entry[key].is_null(), "{key}");
        }
    }
}
