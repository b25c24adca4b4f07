//! What fills a home besides secrets: who counts files, or looks how old they are, finds what people have. In: a home. Out: some hundred small
//! files in the usual places, of the usual kinds.

use std::io;
use std::path::Path;

use crate::suspect::decoys::ground::Ground;
use crate::suspect::decoys::put::Putting;
use crate::suspect::decoys::random::Random;

const PDF: &[u8] =
    b"%PDF-1.7\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[]/Count 0>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n";
const JPEG: &[u8] = b"\xff\xd8\xff\xe0\0\x10JFIF\0\x01\x01\0\0H\0H\0\0\xff\xd9";
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x06\0\0\0\x1f\x15\xc4\x89\0\0\0\0IEND\xaeB`\x82";
const ZIP: &[u8] = b"PK\x05\x06\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";
const TEXT: &[u8] = b"to do\n- answer the letters\n- order parts\n- read the minutes\n";
const CODE: &[u8] = b"#!/bin/sh\nset -eu\ncd \"$(dirname \"$0\")\"\nexec make \"$@\"\n";
const CACHED: &[u8] = b"\0\0\0\x01\0\0\0\0cached";

/// Directory, names, ending, content, how many.
type Kind = (&'static str, &'static [&'static str], &'static str, &'static [u8], usize);

const SCREEN: &[Kind] = &[
    ("Documents", &["invoice", "contract", "statement", "letter", "manual", "offer"], "pdf", PDF, 40),
    ("Documents/notes", &["meeting", "ideas", "travel", "reading"], "md", TEXT, 24),
    ("Pictures/2025", &["IMG_", "DSC0", "scan"], "jpg", JPEG, 70),
    ("Pictures/Screenshots", &["Screenshot from "], "png", PNG, 30),
    ("Downloads", &["ticket", "paper", "slides", "datasheet"], "pdf", PDF, 20),
    ("Downloads", &["fonts", "export", "dataset"], "zip", ZIP, 8),
    (".cache/thumbnails/normal", &["5d", "9a", "c0", "e7"], "png", PNG, 60),
    (".cache/fontconfig", &["3a", "7b", "d5"], "cache-9", CACHED, 12),
    (".local/share/recently", &["used"], "xbel", TEXT, 3),
    ("Music", &["track", "live"], "mp3", b"ID3\x04\0\0\0\0\0\0", 18),
];
const WORK: &[Kind] = &[
    ("src/dotfiles", &["install", "sync", "backup"], "sh", CODE, 8),
    ("src/scripts", &["rotate", "report", "clean", "import"], "sh", CODE, 12),
    (".local/bin", &["deploy", "notes", "vpn"], "sh", CODE, 5),
    (".cache/pip/http", &["0a", "4f", "b2"], "body", CACHED, 14),
    (".npm/_cacache/content-v2", &["1d", "8c", "f3"], "bin", CACHED, 20),
    (".cargo/registry/index/cache", &["se", "to", "an", "li"], "json", b"{}\n", 24),
    (".config/htop", &["htoprc"], "bak", TEXT, 2),
    (".vim/undo", &["%home%src"], "un~", CACHED, 10),
];
const STEP: &[Kind] = &[
    ("_work/_actions/checkout/dist", &["index", "problem-matcher"], "js", b"module.exports = {}\n", 6),
    ("_diag", &["Runner_", "Worker_"], "log", b"[INFO Runner] Listening for Jobs\n", 16),
    ("externals/node20/include", &["node", "v8", "uv"], "h", b"#pragma once\n", 40),
    ("bin", &["Runner.Common", "Runner.Sdk", "System.Net"], "dll", b"MZ\x90\0", 40),
];

/// # Errors
/// With the path that could not be written.
pub fn lay(home: &Path, ground: Ground, random: &mut Random, putting: &mut Putting) -> io::Result<()> {
    let kinds: &[&[Kind]] = match ground {
        Ground::Laptop => &[SCREEN, WORK],
        Ground::Root => &[WORK],
        Ground::Ci => &[STEP, WORK],
        Ground::Container => &[],
    };
    for (dir, names, ending, content, count) in kinds.iter().copied().flatten() {
        for at in 0..*count {
            let name = format!("{}{:04}.{ending}", names[at % names.len()], random.below(9000)? + at);
            let executable = if *ending == "sh" { 0o755 } else { 0o644 };
            putting.put(&home.join(dir).join(name), content, executable)?;
        }
    }
    Ok(())
}
