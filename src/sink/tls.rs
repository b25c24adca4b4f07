//! TLS with certificates of an authority that lives as long as the sink does. In: a line to a client that begins a handshake. Out: a stream within, or
//! what was made of it: clients that trust the authority speak, others say that they do not.

use std::fmt;
use std::io::{self, Read, Write};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, DistinguishedName, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose};
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{Acceptor, ClientHello, ResolvesServerCert};
use rustls::sign::{CertifiedKey, SigningKey};
use rustls::{KeyLog, ServerConfig, ServerConnection};

use super::line::{Line, Stream};

/// How long a client may take for each step of a handshake.
const PATIENCE: Duration = Duration::from_secs(5);

/// Signs certificates for every name.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    /// In PEM: what clients have to trust.
    pub certificate: String,
    /// Of all certificates: nobody has to be kept from the other's.
    key: (KeyPair, Arc<dyn SigningKey>),
    provider: Arc<CryptoProvider>,
    keys: Arc<Keys>,
}

/// Secrets of each connection, so that the capture can be read.
#[derive(Default)]
struct Keys(Mutex<String>);

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keys")
    }
}

impl KeyLog for Keys {
    fn log(&self, label: &str, client_random: &[u8], secret: &[u8]) {
        let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        let line = format!("{label} {} {}\n", hex(client_random), hex(secret));
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push_str(&line);
    }
}

/// A certificate for one name.
struct Fixed(Arc<CertifiedKey>);

impl fmt::Debug for Fixed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Fixed")
    }
}

impl ResolvesServerCert for Fixed {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0))
    }
}

impl Authority {
    /// A new one.
    ///
    /// # Errors
    /// When no key can be made.
    pub fn new() -> io::Result<Authority> {
        let key = KeyPair::generate().map_err(io::Error::other)?;
        let mut params = CertificateParams::default();
        params.distinguished_name = named("Global Trust Root R3");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign, KeyUsagePurpose::DigitalSignature];
        let certificate = params.self_signed(&key).map_err(io::Error::other)?.pem();
        let own = KeyPair::generate().map_err(io::Error::other)?;
        let der = PrivateKeyDer::try_from(own.serialize_der()).map_err(io::Error::other)?;
        let signing = ring::sign::any_supported_type(&der).map_err(io::Error::other)?;
        let (provider, keys) = (Arc::new(ring::default_provider()), Arc::default());
        Ok(Authority { issuer: Issuer::new(params, key), certificate, key: (own, signing), provider, keys })
    }

    /// The key log of all connections so far (`SSLKEYLOGFILE`).
    pub fn keys(&self) -> String {
        self.keys.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn certified(&self, name: &str) -> io::Result<CertifiedKey> {
        let mut params = CertificateParams::new(vec![name.to_owned()]).map_err(io::Error::other)?;
        params.distinguished_name = named(&name[..name.len().min(64)]);
        params.use_authority_key_identifier_extension = true;
        let made = params.signed_by(&self.key.0, &self.issuer).map_err(io::Error::other)?;
        Ok(CertifiedKey::new(vec![CertificateDer::from(made.der().to_vec())], Arc::clone(&self.key.1)))
    }

    fn config(&self, name: &str) -> io::Result<ServerConfig> {
        let certified = Arc::new(self.certified(name)?);
        let versions = ServerConfig::builder_with_provider(Arc::clone(&self.provider)).with_safe_default_protocol_versions();
        let mut config = versions.map_err(io::Error::other)?.with_no_client_auth().with_cert_resolver(Arc::new(Fixed(certified)));
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        config.key_log = Arc::clone(&self.keys) as Arc<dyn KeyLog>;
        Ok(config)
    }
}

fn named(name: &str) -> DistinguishedName {
    let mut names = DistinguishedName::new();
    names.push(DnType::CommonName, name);
    names
}

/// What became of a handshake.
pub enum Met<'l, 's> {
    Inside(Box<Inside<'l, 's>>),
    /// It went no further, for this reason.
    Failed(String),
}

/// The stream within, and the name the client asked for.
pub struct Inside<'l, 's> {
    connection: ServerConnection,
    line: &'l mut Line<'s>,
}

/// Meets a client whose first bytes are held. `host` is whom it gets a certificate for if it names nobody. The answer has the name it asked for.
pub fn meet<'l, 's>(authority: &Authority, line: &'l mut Line<'s>, host: &str) -> (Option<String>, Met<'l, 's>) {
    let mut name = None;
    let met = match shake(authority, line, host, &mut name) {
        Ok(connection) => Met::Inside(Box::new(Inside { connection, line })),
        Err(error) => Met::Failed(error.to_string()),
    };
    (name, met)
}

fn shake(authority: &Authority, line: &mut Line<'_>, host: &str, name: &mut Option<String>) -> io::Result<ServerConnection> {
    line.wait_at_most(PATIENCE);
    let mut acceptor = Acceptor::default();
    let accepted = loop {
        if acceptor.read_tls(line)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        match acceptor.accept() {
            Ok(Some(accepted)) => break accepted,
            Ok(None) => {}
            Err((error, mut alert)) => {
                let _ = alert.write_all(line);
                return Err(io::Error::other(error));
            }
        }
    };
    *name = accepted.client_hello().server_name().map(str::to_owned);
    let config = authority.config(name.as_deref().unwrap_or(host))?;
    let mut connection = accepted.into_connection(Arc::new(config)).map_err(|(error, mut alert)| {
        let _ = alert.write_all(line);
        io::Error::other(error)
    })?;
    while connection.is_handshaking() {
        connection.complete_io(line)?;
    }
    Ok(connection)
}

impl Read for Inside<'_, '_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        rustls::Stream::new(&mut self.connection, self.line).read(buffer)
    }
}

impl Write for Inside<'_, '_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        rustls::Stream::new(&mut self.connection, self.line).write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        rustls::Stream::new(&mut self.connection, self.line).flush()
    }
}

impl Stream for Inside<'_, '_> {
    fn wait_at_most(&mut self, limit: Duration) {
        self.line.wait_at_most(limit);
    }
}

impl Drop for Inside<'_, '_> {
    fn drop(&mut self) {
        self.connection.send_close_notify();
        let _ = self.connection.write_tls(self.line);
    }
}
