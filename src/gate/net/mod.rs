//! Placeholder: refuses everything until the network room moves in.

use super::{Answer, Call};

pub fn socket(call: &Call) -> Answer {
    call.tamper("socket", "no network room")
}

pub fn connect(call: &Call) -> Answer {
    call.tamper("connect", "no network room")
}

pub fn send(call: &Call) -> Answer {
    call.tamper("send", "no network room")
}

pub fn bind(call: &Call) -> Answer {
    call.tamper("bind", "no network room")
}
