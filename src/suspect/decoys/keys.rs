//! Private keys as files have them. In: random numbers. Out: a well-formed text in which no key is, and lines of it that stand nowhere else.

use std::io;

use crate::model::base64::base64;
use crate::suspect::decoys::encode::LOWER;
use crate::suspect::decoys::random::Random;

/// The lines whose loss shows that the file was read: any of them will do.
const LINES: usize = 3;

/// A key's text, and lines of its body.
pub type Key = (String, Vec<String>);

/// The form of `ssh-keygen` (PROTOCOL.key of OpenSSH), unencrypted. The two numbers that say whether decryption worked differ, so ssh takes none.
///
/// # Errors
/// When there are no random numbers; so for all below.
pub fn openssh(random: &mut Random, kind: &str, length: usize) -> io::Result<Key> {
    let mut public = string(kind.as_bytes());
    public.extend(string(&random.bytes(length)?));
    let mut private = random.bytes(3)?;
    let last = private[2];
    private.extend([1, private[0], private[1], last, 2]);
    private.extend(&public);
    private.extend(string(&random.bytes(length * 2)?));
    private.extend(string(format!("ws-{}", random.text(LOWER, 6)?).as_bytes()));
    let padding = private.len().next_multiple_of(8) - private.len();
    private.extend((1..=padding).map(|byte| byte as u8));
    let mut bytes = b"openssh-key-v1\0".to_vec();
    [&b"none"[..], b"none", b""].iter().for_each(|part| bytes.extend(string(part)));
    bytes.extend(1u32.to_be_bytes());
    bytes.extend(string(&public));
    bytes.extend(string(&private));
    Ok(armour("OPENSSH PRIVATE KEY", &bytes, 70, "\n"))
}

/// DER of a sequence that begins like a key's of that many bytes, and goes on with what is no key's.
pub fn pem(random: &mut Random, label: &str, length: usize, end: &str) -> io::Result<Key> {
    let mut bytes = vec![0x30, 0x82];
    bytes.extend((length as u16).to_be_bytes());
    bytes.extend([2, 1, 0]);
    bytes.extend(random.bytes(length - 3)?);
    Ok(armour(label, &bytes, 64, end))
}

/// A secret key packet of OpenPGP (RFC 4880, 5.5.3) of an algorithm that is not assigned.
pub fn pgp(random: &mut Random) -> io::Result<Key> {
    let mut bytes = vec![0x95, 0x03, 0x98, 4, 0x62, 0x10, 0x20, 0x30, 99];
    bytes.extend(random.bytes(0x398 - 6)?);
    let (text, lines) = armour("PGP PRIVATE KEY BLOCK", &bytes, 64, "\n");
    Ok((text.replacen("BLOCK-----\n", "BLOCK-----\n\n", 1), lines))
}

fn string(bytes: &[u8]) -> Vec<u8> {
    let mut text = (bytes.len() as u32).to_be_bytes().to_vec();
    text.extend(bytes);
    text
}

/// The first lines begin with what is the same in all keys of the kind.
fn armour(label: &str, bytes: &[u8], width: usize, end: &str) -> Key {
    let body = base64(bytes);
    let lines: Vec<&str> = body.as_bytes().chunks(width).filter_map(|line| std::str::from_utf8(line).ok()).collect();
    let random = lines.iter().rev().filter(|line| line.len() == width);
    let values = random.take(LINES).map(|line| (*line).to_owned()).collect();
    (format!("-----BEGIN {label}-----{end}{}{end}-----END {label}-----", lines.join(end)), values)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_look_like_keys() {
        let mut random = Random::new().unwrap();
        for (text, lines) in [
            openssh(&mut random, "ssh-ed25519", 32).unwrap(),
            openssh(&mut random, "ssh-rsa", 385).unwrap(),
            pem(&mut random, "RSA PRIVATE KEY", 1190, "\n").unwrap(),
            pgp(&mut random).unwrap(),
        ] {
            assert!(text.starts_with("-----BEGIN ") && text.ends_with("-----"), "{text}");
            assert!(lines.len() >= 2 && lines.iter().all(|line| line.len() >= 64 && text.contains(line.as_str())), "{lines:?}");
        }
    }
}
