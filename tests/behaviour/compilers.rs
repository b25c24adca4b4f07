//! Compilers of the system ask before they open: they say what they say without Brig, and are faster.

use std::ffi::OsStr;
use std::fs;

use crate::finding::expect_silence;
use crate::honest::calm;
use crate::run::{Outcome, cargo, guarded};
use crate::who::Who;

const TEST: &[&str] = &["test", "--offline", "--lib", "--", "--nocapture"];

fn said(outcome: &Outcome) -> String {
    let text = outcome.stdout_text();
    text[text.find("exit status").unwrap_or_default()..text.find("test result").unwrap_or(text.len())].to_owned()
}

#[test]
fn they_ask_first_and_say_the_same() {
    for who in Who::all() {
        let place = calm("compilers", OsStr::new("code"), who);
        let plain = cargo(&place, TEST).go();
        assert!(said(plain.exits(0)).contains("right"), "{plain}");
        for (options, asks) in [(&[][..], cfg!(target_arch = "x86_64")), (&["--policy", "observe"], false)] {
            fs::remove_dir_all(place.target()).unwrap();
            let brig = guarded(&place, options, TEST).go();
            assert_eq!(said(&plain), said(brig.exits(0)), "{brig}");
            expect_silence(&brig);
            assert!(brig.stderr_text().contains(&format!("asks first: {asks}")), "{brig}");
        }
    }
}
