//! What holds for the forms that other tools read: each is what it says it is, whatever a report has in it. Written against XML, JSON and lists of hosts,
//! and not against our escapers.

use serde_json::Value;

use super::must;
use super::rendered::{Checked, inert, shorten, text};
use crate::model::report::Report;
use crate::report::Format;

pub fn check(report: &Report) -> Checked {
    // Everything that is shown comes from the report, some of it once for each finding or act that it stands behind.
    let bound = 64 * text("json", |w| Format::Json.write(report, w))?.len() + (64 << 10);
    let written = |format: Format| -> Result<String, String> {
        let name = format.option();
        let text = text(name, |w| format.write(report, w))?;
        must(text.len() <= bound, || format!("{name}: {} bytes, more than {bound}", text.len()))?;
        inert(name, &text)?;
        Ok(text)
    };
    of_junit(&written(Format::JUnit)?)?;
    of_code_quality(report, &written(Format::CodeQuality)?)?;
    of_events(report, &written(Format::Events)?)?;
    of_trace(&written(Format::Trace)?)?;
    of_in_toto(&written(Format::InToto)?)?;
    of_egress(&written(Format::Egress)?)
}

/// Elements and attributes of ours, each closed in its turn; cases told apart by class and name.
fn of_junit(xml: &str) -> Checked {
    let body = xml.strip_prefix("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n").ok_or("junit: no declaration")?;
    let (mut open, mut rest, mut cases) = (Vec::new(), body, std::collections::BTreeSet::new());
    while let Some(at) = rest.find('<') {
        content(&rest[..at])?;
        let end = rest.find('>').filter(|end| at < *end).ok_or("junit: a tag without an end")?;
        let tag = &rest[at + 1..end];
        let name = tag.trim_start_matches('/').split(' ').next().unwrap_or_default();
        let known = ["testsuites", "testsuite", "testcase", "failure", "error", "skipped", "system-out"];
        must(known.contains(&name), || format!("junit: the element {:?}", shorten(tag)))?;
        if tag.starts_with('/') {
            must(open.pop() == Some(name), || format!("junit: </{name}> closes another"))?;
        } else {
            let attributes = attributes(&tag[name.len()..])?;
            if name == "testcase" {
                let told = |key: &str| attributes.iter().find(|(name, _)| *name == key).map(|(_, value)| *value);
                must(cases.insert((told("classname"), told("name"))), || format!("junit: two cases {:?}", shorten(tag)))?;
            }
            open.push(name);
        }
        rest = &rest[end + 1..];
    }
    content(rest)?;
    must(open.is_empty(), || format!("junit: {open:?} left open"))
}

fn attributes(mut text: &str) -> Result<Vec<(&str, &str)>, String> {
    let mut found = Vec::new();
    while let Some(rest) = text.strip_prefix(' ') {
        let (name, rest) = rest.split_once("=\"").ok_or_else(|| format!("junit: an attribute {:?}", shorten(rest)))?;
        let (value, rest) = rest.split_once('"').ok_or_else(|| format!("junit: an attribute {:?}", shorten(rest)))?;
        must(name.bytes().all(|byte| byte.is_ascii_lowercase()), || format!("junit: the attribute {:?}", shorten(name)))?;
        content(value)?;
        found.push((name, value));
        text = rest;
    }
    must(text.is_empty(), || format!("junit: attributes end in {:?}", shorten(text)))?;
    Ok(found)
}

/// No sign that is none of XML's, no entity that is none of the five.
fn content(text: &str) -> Checked {
    let odd = text.find(['<', '>', '\u{fffe}', '\u{ffff}']);
    must(odd.is_none(), || format!("junit: a bare sign at {:?}", odd.map(|at| shorten(&text[at..]))))?;
    let entities = ["&amp;", "&lt;", "&gt;", "&quot;", "&apos;"];
    let bare = text.match_indices('&').find(|(at, _)| !entities.iter().any(|entity| text[*at..].starts_with(entity)));
    must(bare.is_none(), || format!("junit: a bare & at {:?}", bare.map(|(at, _)| shorten(&text[at..]))))
}

fn of_code_quality(report: &Report, list: &str) -> Checked {
    let list: Vec<Value> = serde_json::from_str(list).map_err(|error| format!("code quality: {error}"))?;
    must(list.len() <= report.all_findings().filter(|one| one.is_told()).count(), || "code quality: more than there is".into())?;
    for one in &list {
        let text = |key: &str| one[key].as_str().ok_or_else(|| format!("code quality: no {key}"));
        must(["blocker", "critical", "major", "minor", "info"].contains(&text("severity")?), || "code quality: a severity".into())?;
        must(crate::model::Rule::from_id(text("check_name")?).is_some(), || "code quality: a rule".into())?;
        must(!text("description")?.contains('\n') && one["fingerprint"].is_string(), || "code quality: lines".into())?;
        let path = one["location"]["path"].as_str().ok_or("code quality: no path")?;
        let leads_out = path.starts_with('/') || path.split('/').any(|part| part == "..") || path.is_empty();
        must(!leads_out, || format!("code quality: the path {path:?} leads out"))?;
        must(one["location"]["lines"]["begin"].as_u64().is_some_and(|line| line > 0), || "code quality: line 0".into())?;
    }
    Ok(())
}

fn of_events(report: &Report, lines: &str) -> Checked {
    let events: Vec<Value> =
        lines.lines().map(serde_json::from_str).collect::<Result<_, _>>().map_err(|error| format!("events: {error}"))?;
    let ended = report.actors.iter().filter(|actor| actor.ran.is_some_and(|ran| ran.ended_ms.is_some())).count();
    let parts = [report.actors.len(), report.processes.len(), report.behaviour.len(), report.findings.len(), ended, 2];
    must(events.len() == parts.iter().sum::<usize>(), || format!("events: {} lines of {parts:?}", events.len()))?;
    must(events[0]["event"] == "run" && events[events.len() - 1]["event"] == "end", || "events: no frame".into())
}

fn of_trace(trace: &str) -> Checked {
    let trace: Value = serde_json::from_str(trace).map_err(|error| format!("trace: {error}"))?;
    for event in trace["traceEvents"].as_array().ok_or("trace: no events")? {
        let numbers = ["ts", "pid", "tid"].iter().all(|key| event[key].is_u64());
        let phase = match event["ph"].as_str() {
            Some("X") => event["dur"].is_u64(),
            Some("i") => event["s"] == "t",
            Some("M") => event["args"]["name"].is_string(),
            _ => false,
        };
        must(numbers && phase && event["name"].is_string(), || format!("trace: the event {}", shorten(&event.to_string())))?;
    }
    Ok(())
}

fn of_in_toto(statement: &str) -> Checked {
    let statement: Value = serde_json::from_str(statement).map_err(|error| format!("in-toto: {error}"))?;
    let subjects = statement["subject"].as_array().ok_or("in-toto: no subject")?;
    must(!subjects.is_empty(), || "in-toto: about nothing".into())?;
    for subject in subjects {
        let sum = subject["digest"]["sha256"].as_str().ok_or("in-toto: no digest")?;
        let is_sum = sum.len() == 64 && sum.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
        must(is_sum && subject["name"].is_string(), || format!("in-toto: the digest {sum:?}"))?;
    }
    let process = &statement["predicate"]["monitoredProcess"];
    must(["hostID", "type", "event"].iter().all(|key| process[key].is_string()), || "in-toto: no process".into())
}

/// A firewall that takes every line that is no comment gets hosts and ports, and nothing else.
fn of_egress(list: &str) -> Checked {
    for line in list.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let (host, port) = line.rsplit_once(':').ok_or_else(|| format!("egress: the line {:?}", shorten(line)))?;
        let is_address = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).map(|host| host.split('%').next().unwrap_or(host));
        let is_address = is_address.is_some_and(|host| host.parse::<std::net::Ipv6Addr>().is_ok());
        let is_name = !host.is_empty() && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_".contains(&byte));
        must(is_address || is_name, || format!("egress: the host {:?}", shorten(host)))?;
        must(port.parse::<u16>().is_ok_and(|port| port > 0), || format!("egress: the port {:?}", shorten(port)))?;
    }
    Ok(())
}
