//! The shapes of credentials. In: the name of a shape, as `profiles/decoys.toml` has it between guillemets. Out: a new value of that shape which
//! nobody accepts: where a format has a checksum it is wrong, where it has an alphabet one sign is none of it.

use std::io;

use crate::model::base64::{base64, base64_url};
use crate::suspect::decoys::encode::{ALPHANUMERIC, BASE64, BASE64_URL, HEX, LOWER, base58, checksum};
use crate::suspect::decoys::keys::{openssh, pem, pgp};
use crate::suspect::decoys::random::Random;
use crate::suspect::decoys::words::phrase;

const UPPER: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
const DIGITS: &str = "0123456789";
/// Bech32, in capitals.
const BECH32: &str = "QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L";

/// A value as it is written down, and the parts of it that stand nowhere else.
pub struct Minted {
    pub text: String,
    pub values: Vec<String>,
}

impl From<String> for Minted {
    fn from(text: String) -> Minted {
        Minted { values: vec![text.clone()], text }
    }
}

impl From<(String, Vec<String>)> for Minted {
    fn from((text, values): (String, Vec<String>)) -> Minted {
        Minted { text, values }
    }
}

/// A prefix, and so many letters of an alphabet: what most credentials are.
const PLAIN: &[(&str, &str, &str, usize)] = &[
    ("gitlab", "glpat-", BASE64_URL, 20),
    ("gitlab-job", "glcbt-64_", BASE64_URL, 20),
    ("gitlab-deploy", "gldt-", BASE64_URL, 20),
    ("crates", "cio", ALPHANUMERIC, 32),
    ("docker", "dckr_pat_", BASE64_URL, 27),
    ("aws-secret", "", BASE64, 40),
    ("aws-session", "IQoJb3JpZ2luX2VjE", BASE64, 340),
    ("google-key", "AIza", BASE64_URL, 35),
    ("google-access", "ya29.a0", BASE64_URL, 163),
    ("google-refresh", "1//0", BASE64_URL, 100),
    ("google-secret", "GOCSPX-", BASE64_URL, 28),
    ("azure-secret", "kQ~8Q~", BASE64_URL, 34),
    ("azure-refresh", "1.AXkA", BASE64_URL, 400),
    ("huggingface", "hf_", ALPHANUMERIC, 34),
    ("anthropic-oauth", "sk-ant-oat01-", BASE64_URL, 95),
    ("groq", "gsk_", ALPHANUMERIC, 52),
    ("openrouter", "sk-or-v1-", HEX, 64),
    ("replicate", "r8_", ALPHANUMERIC, 37),
    ("stripe", "sk_live_51", ALPHANUMERIC, 98),
    ("stripe-hook", "whsec_", ALPHANUMERIC, 32),
    ("twilio", "SK", HEX, 32),
    ("digitalocean", "dop_v1_", HEX, 64),
    ("fly", "fo1_", BASE64_URL, 43),
    ("vault", "hvs.CAESI", BASE64_URL, 90),
    ("pulumi", "pul-", HEX, 40),
    ("netlify", "nfp_", ALPHANUMERIC, 36),
    ("cloudflare", "", BASE64_URL, 40),
    ("linear", "lin_api_", ALPHANUMERIC, 40),
    ("notion", "ntn_", ALPHANUMERIC, 46),
    ("sentry", "sntrys_", BASE64_URL, 86),
    ("databricks", "dapi", HEX, 32),
    ("buildkite", "bkua_", HEX, 40),
    ("buildkite-agent", "bkaj_", HEX, 40),
    ("rubygems", "rubygems_", HEX, 48),
    ("nuget", "oy2", LOWER, 43),
    ("onepassword", "ops_eyJ", BASE64_URL, 240),
    ("atlassian", "ATATT3xFfGF0", BASE64_URL, 180),
    ("grafana", "glsa_", ALPHANUMERIC, 32),
    ("telegram-hash", "", HEX, 32),
    ("age", "AGE-SECRET-KEY-1", BECH32, 58),
    ("alchemy", "", BASE64_URL, 32),
    ("etherscan", "", UPPER, 34),
    ("token-24", "", ALPHANUMERIC, 24),
    ("token-40", "", ALPHANUMERIC, 40),
    ("token-64", "", ALPHANUMERIC, 64),
    ("token-88", "", BASE64, 86),
    ("hex-32", "", HEX, 32),
    ("hex-40", "", HEX, 40),
    ("hex-64", "", HEX, 64),
    ("eth", "0x", HEX, 64),
    ("password", "", ALPHANUMERIC, 22),
];

/// A new value, or nothing if there is no such shape.
///
/// # Errors
/// When there are no random numbers.
pub fn mint(shape: &str, random: &mut Random) -> io::Result<Option<Minted>> {
    if let Some((_, prefix, alphabet, length)) = PLAIN.iter().find(|(name, ..)| *name == shape) {
        return Ok(Some(format!("{prefix}{}", random.text(alphabet, *length)?).into()));
    }
    let alphanumeric = |random: &mut Random, length| random.text(ALPHANUMERIC, length);
    Ok(Some(match shape {
        "github" => checked("ghp_", 30, random)?.into(),
        "github-oauth" => checked("gho_", 30, random)?.into(),
        "github-job" => checked("ghs_", 30, random)?.into(),
        "npm" => checked("npm_", 30, random)?.into(),
        "github-fine" => format!("github_pat_11{}_{}", random.text(UPPER, 20)?, alphanumeric(random, 59)?).into(),
        "aws-id" => never_an_id("AKIA", random)?.into(),
        "aws-session-id" => never_an_id("ASIA", random)?.into(),
        // The token of an index says which one in its first bytes.
        "pypi" => format!("pypi-AgEIcHlwaS5vcmcCJ{}", random.text(BASE64_URL, 150)?).into(),
        "openai" => format!("sk-proj-{}T3BlbkFJ{}", random.text(BASE64_URL, 74)?, random.text(BASE64_URL, 74)?).into(),
        "anthropic" => format!("sk-ant-api03-{}AA", random.text(BASE64_URL, 93)?).into(),
        "slack" => format!("xoxb-{}-{}-{}", random.text(DIGITS, 12)?, random.text(DIGITS, 13)?, alphanumeric(random, 24)?).into(),
        "slack-hook" => format!("T{}/B{}/{}", random.text(UPPER, 10)?, random.text(UPPER, 10)?, alphanumeric(random, 24)?).into(),
        "discord" => format!("MT{}.G{}.{}", alphanumeric(random, 24)?, alphanumeric(random, 5)?, random.text(BASE64_URL, 38)?).into(),
        "discord-hook" => format!("1{}/{}", random.text(DIGITS, 18)?, random.text(BASE64_URL, 68)?).into(),
        "telegram" => format!("7{}:AA{}", random.text(DIGITS, 9)?, random.text(BASE64_URL, 33)?).into(),
        "sendgrid" => format!("SG.{}.{}", random.text(BASE64_URL, 22)?, random.text(BASE64_URL, 43)?).into(),
        "terraform" => format!("{}.atlasv1.{}", alphanumeric(random, 14)?, random.text(BASE64_URL, 67)?).into(),
        "uuid" => uuid(random)?.into(),
        "heroku" => format!("HRKU-{}", uuid(random)?).into(),
        "jwt" => jwt(random)?.into(),
        "phrase" => phrase(random)?.into(),
        "basic" => basic(random)?,
        "solana" => solana(random)?,
        "sui" => base64(&[vec![0], random.bytes(32)?].concat()).into(),
        "near" => format!("ed25519:{}", base58(&random.bytes(64)?)).into(),
        // Version byte 0x80 and a checksum of four bytes, which is random (base58check).
        "bitcoin" => base58(&[vec![0x80], random.bytes(32)?, vec![1], random.bytes(4)?].concat()).into(),
        "ssh" => openssh(random, "ssh-ed25519", 32)?.into(),
        "ssh-rsa" => openssh(random, "ssh-rsa", 385)?.into(),
        "ssh-ecdsa" => openssh(random, "ecdsa-sha2-nistp256", 65)?.into(),
        "rsa" => pem(random, "RSA PRIVATE KEY", 1190, "\n")?.into(),
        "ec" => pem(random, "EC PRIVATE KEY", 400, "\n")?.into(),
        "pkcs8" => pem(random, "PRIVATE KEY", 1214, "\n")?.into(),
        "pkcs8-line" => pem(random, "PRIVATE KEY", 1214, "\\n")?.into(),
        "pgp" => pgp(random)?.into(),
        _ => return Ok(None),
    }))
}

/// Letters, and six digits of their checksum, of which one is wrong.
fn checked(prefix: &str, length: usize, random: &mut Random) -> io::Result<String> {
    let body = random.text(ALPHANUMERIC, length)?;
    let right = [checksum(&body), checksum(&format!("{prefix}{body}"))];
    loop {
        let wrong = random.text(ALPHANUMERIC, 6)?;
        if !right.contains(&wrong) {
            return Ok(format!("{prefix}{body}{wrong}"));
        }
    }
}

/// Identifiers of AWS are base32: they have neither 0 nor 1, 8 nor 9.
fn never_an_id(prefix: &str, random: &mut Random) -> io::Result<String> {
    Ok(format!("{prefix}{}{}{}", random.text(UPPER, 7)?, random.text("0189", 1)?, random.text(UPPER, 8)?))
}

pub fn uuid(random: &mut Random) -> io::Result<String> {
    let parts: Vec<String> = [8, 4, 3, 3, 12].into_iter().map(|length| random.text(HEX, length)).collect::<io::Result<_>>()?;
    Ok(format!("{}-{}-4{}-a{}-{}", parts[0], parts[1], parts[2], parts[3], parts[4]))
}

/// A header, a body with an identifier of its own, and a signature that is none.
fn jwt(random: &mut Random) -> io::Result<String> {
    let body = format!(r#"{{"iss":"https://id.internal","sub":"{}","aud":"tidemark","jti":"{}"}}"#, uuid(random)?, uuid(random)?);
    let header = base64_url(br#"{"alg":"RS256","typ":"JWT","kid":"1"}"#);
    Ok(format!("{header}.{}.{}", base64_url(body.as_bytes()), random.text(BASE64_URL, 342)?))
}

/// `user:password` in base64, for registries and proxies. Who decodes it shows the password.
fn basic(random: &mut Random) -> io::Result<Minted> {
    let password = random.text(ALPHANUMERIC, 26)?;
    let text = base64(format!("deploy:{password}").as_bytes());
    Ok(Minted { values: vec![text.clone(), password], text })
}

/// Sixty-four numbers, as its tools write a key pair. Wallets show the same bytes in base58.
fn solana(random: &mut Random) -> io::Result<Minted> {
    let bytes = random.bytes(64)?;
    let numbers: Vec<String> = bytes.iter().map(u8::to_string).collect();
    Ok(Minted { text: format!("[{}]", numbers.join(",")), values: vec![numbers[..32].join(","), base58(&bytes)] })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_long_and_never_the_same() {
        let mut random = Random::new().unwrap();
        let mut seen = std::collections::BTreeSet::new();
        for shape in
            PLAIN.iter().map(|row| row.0).chain(["github", "aws-id", "jwt", "uuid", "solana", "ssh", "pkcs8-line", "basic", "pypi"])
        {
            for _ in 0..3 {
                let minted = mint(shape, &mut random).unwrap().expect(shape);
                for value in minted.values {
                    assert!(value.len() >= 16, "{shape}: {value} is too short to be proof of anything");
                    assert!(seen.insert(value), "{shape} was minted twice");
                }
            }
        }
        assert!(mint("no such shape", &mut random).unwrap().is_none());
    }

    #[test]
    fn nobody_accepts_them() {
        let mut random = Random::new().unwrap();
        for _ in 0..20 {
            let token = mint("github", &mut random).unwrap().unwrap().text;
            let (body, check) = token.strip_prefix("ghp_").unwrap().split_at(30);
            assert_eq!(token.len(), 40);
            assert_ne!(check, checksum(body));
            let id = mint("aws-id", &mut random).unwrap().unwrap().text;
            assert!(id.len() == 20 && id[4..].contains(['0', '1', '8', '9']), "{id}");
        }
    }
}
