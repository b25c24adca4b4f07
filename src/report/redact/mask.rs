//! What is put in the place of a credential, and where the text ends that a shell takes for one word. In: bytes of a command line. Out: the same with
//! a mark; an end.

pub const MARK: &[u8] = b"[redacted]";

/// Replaces what lies between `from` and `to`, unless nothing does, or a mark that closes there already.
pub fn mask(bytes: &[u8], from: usize, to: usize) -> Vec<u8> {
    let marked = bytes[from..].strip_prefix(MARK);
    if from >= to || marked.is_some_and(|rest| rest.first().is_none_or(|next| !next.is_ascii_alphanumeric())) {
        return bytes.to_vec();
    }
    [&bytes[..from], MARK, &bytes[to..]].concat()
}

/// Where a shell's word ends that `quote` was opened in: the quote closes, and what is joined to it without a blank still belongs.
pub fn end_of_quoted(bytes: &[u8], quote: u8) -> usize {
    const ENDS: &[u8] = b" \t\n;|&()<>,}]";
    let mut open = Some(quote);
    let mut at = 0;
    while at < bytes.len() {
        let byte = bytes[at];
        match open {
            None if ENDS.contains(&byte) => return at,
            None if b"'\"".contains(&byte) => open = Some(byte),
            Some(quote) if byte == quote => {
                open = None;
                if bytes.get(at + 1).is_none_or(|next| ENDS.contains(next)) {
                    return at;
                }
            }
            _ => {}
        }
        at += if byte == b'\\' && open != Some(b'\'') { 2 } else { 1 };
    }
    bytes.len()
}
