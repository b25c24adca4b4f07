//! What a name carries: each label by its place below the registered domain, and all of them together. In: a question. Out: what was said.

use super::dns::Question;
use super::kept::Draft;

pub fn write_down(question: &Question, draft: &mut Draft) {
    let below = question.labels.len().saturating_sub(2);
    let domain = String::from_utf8_lossy(&question.labels[below..].join(&b'.')).to_ascii_lowercase();
    for (place, label) in question.labels[..below].iter().rev().enumerate() {
        draft.said(format!("label {place} below {domain}"), label);
    }
    draft.said(format!("labels below {domain}"), &question.labels[..below].concat());
    draft.said("name", &question.labels.join(&b'.'));
}
