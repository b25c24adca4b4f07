//! What holds for every form of every report: text of others stays text. Written against the media (HTML, Markdown, SARIF, a terminal, the
//! log of a CI runner), not against our escapers.

use std::io::{self, Write};

use serde_json::Value;

use super::must;
use crate::model::report::Report;
use crate::report::{html, json, markdown, sarif, terminal};

pub type Checked = Result<(), String>;

/// Renders a report in every way there is, and checks each.
pub fn check(report: &Report) -> Checked {
    let stored = text("json", |w| json::write(report, w))?;
    inert("json", &stored)?;
    let again = json::parse(stored.as_bytes()).map_err(|error| format!("json does not load again: {error:#}"))?;
    must(again == *report, || "json loads as another report".into())?;
    // Everything that is shown comes from the report, some of it once for each finding or act that it stands behind.
    let bound = 64 * stored.len() + (64 << 10);

    for (color, width) in [(false, None), (true, None), (true, Some(80))] {
        for verbosity in [terminal::Verbosity::Quiet, terminal::Verbosity::Normal, terminal::Verbosity::Verbose] {
            let style = terminal::Style { color, verbosity, width };
            let shown = text("terminal", |w| {
                terminal::before(w, &report.run, &report.enforcement, style)?;
                terminal::after(w, report, Some("target/brig/report.html"), style)
            })?;
            must(shown.len() <= bound, || format!("terminal: {} bytes of {}", shown.len(), stored.len()))?;
            on_terminal(&uncolored(&shown, color))?;
        }
    }
    let explained = text("explain", |w| terminal::findings(w, report, report.all_findings(), terminal::Style::default()))?;
    on_terminal(&explained)?;

    let page = text("html", |w| html::write(report, w))?;
    must(page.len() <= bound, || format!("html: {} bytes of {}", page.len(), stored.len()))?;
    inert("html", &page)?;
    of_html(&page)?;

    let summary = text("markdown", |w| markdown::write(report, w))?;
    must(summary.len() <= bound, || format!("markdown: {} bytes of {}", summary.len(), stored.len()))?;
    inert("markdown", &summary)?;
    of_markdown(report, &summary)?;

    annotations(report, &text("annotations", |w| markdown::annotations(report, w))?)?;

    let log = text("sarif", |w| sarif::write(report, w))?;
    must(log.len() <= bound, || format!("sarif: {} bytes of {}", log.len(), stored.len()))?;
    inert("sarif", &log)?;
    of_sarif(report, &log)
}

pub fn text(name: &str, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<String, String> {
    let mut out = Vec::new();
    write(&mut out).map_err(|error| format!("{name}: {error}"))?;
    String::from_utf8(out).map_err(|error| format!("{name}: {error}"))
}

/// Nothing moves a cursor, hides, reorders, or speaks to a runner.
pub fn inert(name: &str, text: &str) -> Checked {
    let moving = |c: char| {
        (c.is_control() && c != '\n')
            || matches!(c, '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}'
                | '\u{feff}' | '\u{fe00}'..='\u{fe0f}' | '\u{e0000}'..='\u{e007f}')
    };
    if let Some(c) = text.chars().find(|c| moving(*c)) {
        return Err(format!("{name} holds U+{:04X}", c as u32));
    }
    must(!text.contains("##["), || format!("{name} holds a command of a runner"))?;
    // The runner looks past leading blanks.
    let command = text.lines().find(|line| line.trim_start().starts_with("::"));
    must(command.is_none(), || format!("{name} has the line {command:?}"))
}

/// Without the colors we put in ourselves; whatever else begins with ESC stays and is found.
fn uncolored(text: &str, colored: bool) -> String {
    let codes = ["0", "1;31", "1;32", "1;33", "1;34", "1;36"];
    match colored {
        true => codes.iter().fold(text.to_owned(), |text, code| text.replace(&format!("\x1b[{code}m"), "")),
        false => text.to_owned(),
    }
}

/// Every line begins as one of ours: a line of others would show here, as the one that does not.
fn on_terminal(text: &str) -> Checked {
    inert("terminal", text)?;
    let ours = |line: &str| {
        let status = line.len() > 12 && line.is_char_boundary(12) && {
            let (verb, rest) = line.split_at(12);
            rest.starts_with(' ') && verb.trim_start().chars().next().is_some_and(|c| c.is_ascii_uppercase())
        };
        let heads = ["error[", "warning[", "note[", "  --> ", "   = ", "             "];
        line.is_empty() || status || heads.iter().any(|head| line.starts_with(head))
    };
    let foreign = text.lines().find(|line| !ours(line));
    must(foreign.is_none(), || format!("terminal has the line {foreign:?}"))
}

/// Only tags we write, each closed in its turn.
fn of_html(page: &str) -> Checked {
    const VOID: [&str; 3] = ["meta", "!doctype", "br"];
    const KNOWN: [&str; 34] = [
        "html", "head", "meta", "title", "style", "body", "h1", "h2", "h3", "small", "p", "dl", "dt", "dd", "code", "article", "details",
        "summary", "ul", "li", "table", "tr", "th", "td", "!doctype", "br", "em", "strong", "a", "svg", "rect", "circle", "text", "script",
    ];
    let (mut open, mut scripts): (Vec<&str>, usize) = (Vec::new(), 0);
    let mut rest = page;
    while let Some(at) = rest.find('<') {
        must(!rest[..at].contains('>') || matches!(open.last(), Some(&("style" | "script"))), || {
            format!("html: a stray > before {:?}", shorten(&rest[at..]))
        })?;
        let end = rest.find('>').ok_or("html: a tag without an end")?;
        must(at < end, || format!("html: a stray > at {:?}", shorten(rest)))?;
        let tag = &rest[at + 1..end];
        let closing = tag.starts_with('/');
        let name = tag.trim_start_matches('/').split([' ', '\n']).next().unwrap_or_default();
        must(KNOWN.contains(&name), || format!("html: the tag <{}>", shorten(tag)))?;
        let attributes = tag.trim_start_matches('/')[name.len()..].trim();
        let ours = attributes.is_empty()
            || matches!(name, "html" | "meta" | "!doctype")
            || attributes.split("\" ").all(|attribute| {
                // Names of ours, and links within the page.
                let drawn = ["viewBox", "x", "y", "width", "height", "cx", "cy", "r"].map(|name| format!("{name}=\""));
                let value = drawn.iter().find_map(|name| attribute.strip_prefix(name.as_str()));
                if let Some(value) = value.filter(|_| matches!(name, "svg" | "rect" | "circle" | "text")) {
                    return value.trim_end_matches('"').chars().all(|c| c.is_ascii_digit() || c == ' ');
                }
                let value = ["class=\"", "id=\"", "href=\"#", "role=\""].iter().find_map(|name| attribute.strip_prefix(name));
                value.is_some_and(|value| {
                    value.trim_end_matches('"').chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || " -".contains(c))
                })
            });
        must(ours, || format!("html: the attributes {:?}", shorten(attributes)))?;
        scripts += usize::from(!closing && name == "script");
        if closing {
            must(open.pop() == Some(name), || format!("html: </{name}> closes another tag"))?;
        } else if !VOID.contains(&name) {
            open.push(name);
        }
        rest = &rest[end + 1..];
    }
    must(open.is_empty() && !rest.contains('>'), || format!("html: {open:?} left open"))?;
    must(scripts == 1, || format!("html: {scripts} scripts"))?;
    let entities = page.split("</style>").last().and_then(|body| body.split("<script>").next()).unwrap_or_default();
    let bare = entities
        .match_indices('&')
        .find(|(at, _)| !["&amp;", "&lt;", "&gt;", "&quot;", "&#39;"].iter().any(|e| entities[*at..].starts_with(e)));
    must(bare.is_none(), || format!("html: a bare & at {:?}", bare.map(|(at, _)| shorten(&entities[at..]))))
}

/// Only our headings, items and code spans; no sign of others' is left bare.
fn of_markdown(report: &Report, page: &str) -> Checked {
    must(page.len() <= 1 << 20, || format!("markdown: {} bytes", page.len()))?;
    let ours = ["<code>", "</code>", "<details>", "</details>", "<summary>", "</summary>"];
    let plain = ours.iter().fold(page.to_owned(), |plain, tag| plain.replace(tag, ""));
    for tag in ["code", "details", "summary"] {
        let closed = page.matches(&format!("<{tag}>")).count() == page.matches(&format!("</{tag}>")).count();
        must(closed, || format!("markdown: <{tag}> left open"))?;
    }
    let sign = plain.find(['<', '>', '@', '!', '[', ']', '\\', '~', '_', '$']);
    must(sign.is_none(), || format!("markdown: a bare sign at {:?}", sign.map(|at| shorten(&plain[at..]))))?;
    let alarming = report.all_findings().filter(|finding| finding.is_told()).count();
    let headings = page.lines().filter(|line| line.starts_with('#')).count();
    let opened = page.lines().filter(|line| line.starts_with("<details>")).count();
    must(headings == 1 && opened <= 1 + alarming, || format!("markdown: {headings} headings, {opened} to open for {alarming} findings"))?;
    for line in page.lines() {
        let ours = line.is_empty()
            || ["## Brig: ", "<details><summary>", "</details>", "| ", "- ", "**"].iter().any(|head| line.starts_with(head));
        let sentence =
            line.chars().next().is_some_and(|c| c.is_ascii_alphanumeric()) && !line.starts_with("===") && !line.starts_with("---");
        must(ours || sentence, || format!("markdown: the line {:?}", shorten(line)))?;
        // Of a table, each row has the cells of its head.
        let cells = line.matches('|').count();
        must(matches!(cells, 0) || line.starts_with("| ") && matches!(cells, 5 | 8), || format!("markdown: the row {:?}", shorten(line)))?;
        must(!line.contains('`'), || format!("markdown: a backtick in {:?}", shorten(line)))?;
        must(!line.contains("://"), || format!("markdown: a link in {:?}", shorten(line)))?;
    }
    Ok(())
}

/// One command of ours per line, with three properties; a runner unescapes the rest to text.
fn annotations(report: &Report, text: &str) -> Checked {
    let commands = text.lines().count();
    let alarming = report.all_findings().filter(|finding| finding.is_told()).count();
    must(commands == alarming.min(10), || format!("{commands} annotations for {alarming} findings"))?;
    for line in text.lines() {
        let body = line.strip_prefix("::error ").or_else(|| line.strip_prefix("::warning ")).ok_or(format!("annotation {line:?}"))?;
        let (properties, message) = body.split_once("::").ok_or(format!("annotation {line:?}"))?;
        let keys: Vec<_> = properties.split(',').map(|property| property.split('=').next().unwrap_or_default()).collect();
        must(keys == ["file", "line", "title"], || format!("annotation {line:?}"))?;
        let escapes = ["%25", "%3A", "%2C"];
        let bare = |text: &str| text.match_indices('%').any(|(at, _)| !escapes.iter().any(|escape| text[at..].starts_with(escape)));
        must(!bare(properties) && !bare(message), || format!("annotation with a bare %: {line:?}"))?;
        inert("annotation", message)?;
    }
    Ok(())
}

fn of_sarif(report: &Report, log: &str) -> Checked {
    let log: Value = serde_json::from_str(log).map_err(|error| format!("sarif: {error}"))?;
    let run = &log["runs"][0];
    let results = run["results"].as_array().ok_or("sarif: no results")?;
    let most = report.all_findings().count() + report.exceptions.len();
    must(results.len() <= most, || "sarif: more results than findings and exceptions".into())?;
    let rules = run["tool"]["driver"]["rules"].as_array().ok_or("sarif: no rules")?;
    let notes = run["invocations"][0]["toolExecutionNotifications"].as_array().ok_or("sarif: no notifications")?;
    for result in results {
        let index = result["ruleIndex"].as_u64().ok_or("sarif: no rule")? as usize;
        must(rules.get(index).is_some_and(|rule| rule["id"] == result["ruleId"]), || "sarif: another rule".into())?;
        let place = &result["locations"][0]["physicalLocation"];
        let uri = place["artifactLocation"]["uri"].as_str().ok_or("sarif: no uri")?;
        must(uri.bytes().all(|b| b.is_ascii_alphanumeric() || b"/.-_%".contains(&b)), || format!("sarif: the uri {uri:?}"))?;
        // A scheme or an authority would make it lead elsewhere than into the sources.
        must(!uri.starts_with('/') && !uri.split('/').any(|part| part == ".."), || format!("sarif: the uri {uri:?} leads out"))?;
        must(place["region"]["startLine"].as_u64().is_some_and(|line| line > 0), || "sarif: line 0".into())?;
    }
    for message in results.iter().chain(notes).map(|holder| &holder["message"]["text"]) {
        let message = message.as_str().ok_or("sarif: no text")?;
        // An escaped backslash escapes nothing.
        let (mut escaped, mut bare) = (false, false);
        for c in message.chars() {
            bare |= !escaped && "[]".contains(c);
            escaped = c == '\\' && !escaped;
        }
        must(!bare, || format!("sarif: a link in {:?}", shorten(message)))?;
    }
    Ok(())
}

pub fn shorten(text: &str) -> String {
    text.chars().take(80).collect()
}
