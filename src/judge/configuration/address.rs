//! Addresses without what lets one in. In: a value that may hold some. Out: the same without user names and passwords in URLs; `None` where
//! what is left could still be a credential.

/// Every URL in the text loses what stands before its host.
pub fn without_credentials(text: &str) -> Option<String> {
    let (mut out, mut rest) = (String::with_capacity(text.len()), text);
    while let Some(at) = rest.find("://") {
        let (front, authority) = rest.split_at(at + 3);
        // Without a scheme: `me:password@host`, before the first URL or between two.
        if is_login(&front[..at]) {
            return None;
        }
        out.push_str(front);
        let end = authority.find(|c: char| matches!(c, '/' | '?' | '#' | '"' | '\'') || c.is_whitespace() || c.is_control());
        let (authority, after) = authority.split_at(end.unwrap_or(authority.len()));
        let host = authority.rfind('@').map_or(authority, |at| &authority[at + 1..]);
        if !has_plain_port(host) {
            // A password with a slash in it, cut in two.
            return None;
        }
        out.push_str(host);
        rest = after;
    }
    if is_login(rest) {
        return None;
    }
    out.push_str(rest);
    Some(out)
}

/// The same for a value that is one address: also without a query and a fragment, where services take tokens.
pub fn bare(text: &str) -> Option<String> {
    // Git's transport helpers take commands: `ext::sh -c …`.
    if text.contains("::") && !text.contains('[') {
        return None;
    }
    let address = without_credentials(text)?;
    let end = if address.contains("://") { address.find(['?', '#']) } else { None };
    Some(address[..end.unwrap_or(address.len())].to_owned())
}

/// A colon and something behind it, before an `@` of the same word.
fn is_login(text: &str) -> bool {
    text.split(|c: char| c.is_whitespace() || matches!(c, '/' | '"' | '\'')).any(|word| {
        let login = word.rfind('@').map(|at| &word[..at]);
        login.is_some_and(|login| login.contains(':'))
    })
}

fn has_plain_port(host: &str) -> bool {
    let behind = host.rfind(']').map_or(host, |bracket| &host[bracket + 1..]);
    match behind.find(':') {
        Some(colon) => behind[colon + 1..].bytes().all(|byte| byte.is_ascii_digit()),
        None => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lets_one_in_goes() {
        for (text, bare_text) in [
            ("https://h.example/x.git", Some("https://h.example/x.git")),
            ("https://me:CANARY@h.example/x.git", Some("https://h.example/x.git")),
            ("https://CANARY@h.example:8443/x", Some("https://h.example:8443/x")),
            ("https://me:CAN@ARY@h.example/x", Some("https://h.example/x")),
            ("https://me:CAN/ARY@h.example/x", None),
            ("https://h.example/x?token=CANARY#CANARY", Some("https://h.example/x")),
            ("https://[::1]:80/x", Some("https://[::1]:80/x")),
            ("sparse+https://u:CANARY@h.example/", Some("sparse+https://h.example/")),
            ("git@h.example:x/y.git", Some("git@h.example:x/y.git")),
            ("me:CANARY@h.example:9", None),
            ("me:CANARY@h.example/x", None),
            ("ext::sh -c 'echo CANARY'", None),
            ("../other", Some("../other")),
            ("/srv/git/@scope/x", Some("/srv/git/@scope/x")),
        ] {
            assert_eq!(bare(text).as_deref(), bare_text, "{text}");
        }
        assert_eq!(without_credentials("see https://u:CANARY@h/ and https://v:CANARY@i/").unwrap(), "see https://h/ and https://i/");
        assert_eq!(without_credentials("https://h/ me:CANARY@h"), None);
        assert_eq!(without_credentials("A <a@b.example>").unwrap(), "A <a@b.example>");
    }
}
