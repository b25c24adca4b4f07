//! The metadata services of clouds, which hand out credentials to whoever asks from a machine of theirs. In: a request to one of their addresses.
//! Out: what the real one would say, with canaries for credentials.

use std::fmt::Write;
use std::io::{self, Read};

use super::answers::Answer;
use super::http::Request;
use crate::model::Canary;

/// What is handed out.
#[derive(Clone, Debug)]
pub struct Metadata {
    key: Canary,
    secret: Canary,
    session: Canary,
    google: Canary,
    azure: Canary,
}

/// Random, in the alphabet of what it stands for.
fn drawn(prefix: &str, length: usize, alphabet: &[u8]) -> io::Result<String> {
    let mut bytes = vec![0; length];
    std::fs::File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(bytes.iter().fold(prefix.to_owned(), |mut text, byte| {
        text.push(alphabet[usize::from(*byte) % alphabet.len()] as char);
        text
    }))
}

impl Metadata {
    /// New ones.
    ///
    /// # Errors
    /// When the kernel gives no randomness.
    pub fn new() -> io::Result<Metadata> {
        const UPPER: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
        const MIXED: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
        let canary = |name: &str, value: String| Canary { value, place: "the cloud's metadata service".into(), name: name.into() };
        Ok(Metadata {
            key: canary("AccessKeyId", drawn("ASIA", 16, UPPER)?),
            secret: canary("SecretAccessKey", drawn("", 40, MIXED)?),
            session: canary("Token", drawn("IQoJb3JpZ2luX2VjE", 200, MIXED)?),
            google: canary("access_token (Google)", drawn("ya29.c.", 160, MIXED)?),
            azure: canary("access_token (Azure)", drawn("eyJ0eXAiOiJKV1Qi", 200, MIXED)?),
        })
    }

    /// For the list of what is looked for.
    pub fn canaries(&self) -> [Canary; 5] {
        [&self.key, &self.secret, &self.session, &self.google, &self.azure].map(Clone::clone)
    }

    /// What is said there.
    pub fn answer(&self, request: &Request) -> Answer {
        let path = request.path().trim_end_matches('/');
        if request.method == "PUT" && path == "/latest/api/token" {
            return Answer::text("AQAEAKp3x7Vn2c9Qm0Zr5Ls8Wd1Yt4Hf6Jg-bUe_XoIiNkPqRvSyTzA==");
        }
        if path.starts_with("/computeMetadata") {
            return self.google(path);
        }
        if path.starts_with("/metadata/") {
            return self.azure(path);
        }
        const ROLES: &str = "/meta-data/iam/security-credentials";
        match path.find(ROLES).map(|at| &path[at + ROLES.len()..]) {
            Some("") => return Answer::text("app-server-role"),
            Some(_) => return self.amazon(),
            // What containers ask (ECS), at an address of its own.
            None if path.starts_with("/v2/credentials") => return self.amazon(),
            None => {}
        }
        match path.rsplit('/').next().unwrap_or_default() {
            "" => Answer::text("1.0\n2021-07-15\nlatest"),
            "latest" => Answer::text("dynamic\nmeta-data\nuser-data"),
            "meta-data" => Answer::text("ami-id\nhostname\niam/\ninstance-id\ninstance-type\nlocal-ipv4\nplacement/"),
            "iam" => Answer::text("info\nsecurity-credentials/"),
            "instance-id" => Answer::text("i-0b3f7c2e9d1a64508"),
            "instance-type" => Answer::text("t3.medium"),
            "hostname" | "local-hostname" => Answer::text("ip-172-31-24-107.eu-central-1.compute.internal"),
            "local-ipv4" => Answer::text("172.31.24.107"),
            "ami-id" => Answer::text("ami-0f1a5c7d2b8e93460"),
            "region" => Answer::text("eu-central-1"),
            "document" => Answer::json(r#"{"accountId":"604571948213","instanceId":"i-0b3f7c2e9d1a64508","region":"eu-central-1"}"#),
            _ => Answer::missing(),
        }
    }

    fn amazon(&self) -> Answer {
        let mut text = String::from(r#"{"Code":"Success","Type":"AWS-HMAC","LastUpdated":"2026-01-01T00:00:00Z","#);
        for canary in [&self.key, &self.secret, &self.session] {
            let _ = write!(text, r#""{}":"{}","#, canary.name, canary.value);
        }
        Answer::json(&format!(r#"{text}"Expiration":"2099-01-01T00:00:00Z"}}"#))
    }

    fn google(&self, path: &str) -> Answer {
        let mut answer = match path.rsplit('/').next().unwrap_or_default() {
            "token" => Answer::json(&format!(r#"{{"access_token":"{}","expires_in":3599,"token_type":"Bearer"}}"#, self.google.value)),
            "email" => Answer::text("604571948213-compute@developer.gserviceaccount.com"),
            "project-id" => Answer::text("prod-apps-4417"),
            "service-accounts" => Answer::text("default/\n"),
            "hostname" => Answer::text("app-1.europe-west3-a.c.prod-apps-4417.internal"),
            _ => Answer::text("instance/\nproject/\n"),
        };
        answer.headers.push(("Metadata-Flavor", "Google".into()));
        answer
    }

    fn azure(&self, path: &str) -> Answer {
        if path.starts_with("/metadata/identity") {
            return Answer::json(&format!(
                r#"{{"access_token":"{}","expires_in":"86399","resource":"https://management.azure.com/","token_type":"Bearer"}}"#,
                self.azure.value
            ));
        }
        Answer::json(r#"{"compute":{"location":"westeurope","name":"app-1","osType":"Linux","vmSize":"Standard_B2s"}}"#)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(metadata: &Metadata, method: &str, target: &str) -> String {
        let answer = metadata.answer(&Request { method: method.into(), target: target.into(), ..Request::default() });
        String::from_utf8(answer.body).unwrap()
    }

    #[test]
    fn each_cloud_hands_out_canaries() {
        let metadata = Metadata::new().unwrap();
        let [key, secret, session, google, azure] = metadata.canaries().map(|canary| canary.value);
        assert_eq!(said(&metadata, "GET", "/latest/meta-data/iam/security-credentials/"), "app-server-role");
        for target in ["/latest/meta-data/iam/security-credentials/app-server-role", "/v2/credentials/4f"] {
            let told: serde_json::Value = serde_json::from_str(&said(&metadata, "GET", target)).unwrap();
            assert_eq!([&told["AccessKeyId"], &told["SecretAccessKey"], &told["Token"]], [&key, &secret, &session], "{target}");
        }
        assert!(said(&metadata, "GET", "/computeMetadata/v1/instance/service-accounts/default/token?x=1").contains(&google));
        assert!(said(&metadata, "GET", "/metadata/identity/oauth2/token?api-version=2018-02-01").contains(&azure));
        assert_ne!(said(&metadata, "PUT", "/latest/api/token"), "");
        assert_ne!(Metadata::new().unwrap().secret.value, secret, "new ones each time");
    }
}
