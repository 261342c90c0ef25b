//! The trusted authorities and our client certificate, from PEM files that may change while we run.

use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rustls::crypto::ring::default_provider;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use ureq::tls::{Certificate, ClientCert, PemItem, PrivateKey, RootCerts, TlsConfig, parse_pem};

use super::peer::Peer;
use super::watched::{WatchedError, WatchedFile};
use crate::config::{ConfigError, Tls, Weaknesses};
use crate::log::HostLog;
use crate::secrets::Secrets;

/// The files behind a TLS configuration.
pub struct TlsFiles {
    ca: Option<WatchedFile>,
    client: Option<(WatchedFile, WatchedFile)>,
    insecure_skip_verify: bool,
    peer: Peer,
    /// Read once, and only if there is no `ca_file`.
    system_roots: Option<RootCerts>,
}

impl TlsFiles {
    /// Reads nothing yet; [`TlsFiles::load`] does. The `peer` is only for its errors.
    #[must_use]
    pub fn new(settings: &Tls, peer: Peer) -> Self {
        Self {
            ca: settings.ca_file.clone().map(WatchedFile::new),
            client: settings
                .client
                .clone()
                .map(|(chain, key)| (WatchedFile::new(chain), WatchedFile::new(key))),
            insecure_skip_verify: settings.insecure_skip_verify,
            peer,
            system_roots: None,
        }
    }

    /// Whether a file has changed since it was last read.
    #[must_use]
    pub fn changed(&self) -> bool {
        let client = self.client.iter().flat_map(|(chain, key)| [chain, key]);
        self.ca.iter().chain(client).any(WatchedFile::changed)
    }

    /// Reads the files, and adds the private key to the `secrets`.
    ///
    /// # Errors
    /// All errors of the files, by key.
    pub fn load(&mut self, secrets: &Secrets) -> Result<TlsConfig, Vec<ConfigError>> {
        let mut errors = Vec::new();
        let roots = self.roots().map_err(|error| errors.push(error)).ok();
        let client = self.client(secrets).map_err(|more| errors.extend(more)).ok();
        let (Some(roots), Some(client), true) = (roots, client, errors.is_empty()) else {
            return Err(errors);
        };
        Ok(TlsConfig::builder()
            .root_certs(roots)
            .client_cert(client)
            .disable_verification(self.insecure_skip_verify)
            .build())
    }

    /// The configured authorities replace the system's instead of adding to them: a company that runs its own authority
    /// does not want to trust a public one for its gateway.
    fn roots(&mut self) -> Result<RootCerts, ConfigError> {
        let key = self.peer.ca_key;
        if let Some(file) = &mut self.ca {
            let found = certificates(file, key)?;
            if !found.iter().all(is_authority) {
                let problem = holds(file.path(), "a certificate that cannot be read");
                return Err(ConfigError { key, problem, expected: "X.509 certificates".into() });
            }
            return Ok(RootCerts::new_with_certs(&found));
        }
        if self.insecure_skip_verify {
            return Ok(RootCerts::new_with_certs(&[]));
        }
        if let Some(roots) = &self.system_roots {
            return Ok(roots.clone());
        }
        // Some of a system's certificates may be unreadable (broken links in /etc/ssl/certs); that is no error.
        let found = rustls_native_certs::load_native_certs().certs;
        if found.is_empty() {
            return Err(ConfigError {
                key,
                problem: "is not set, and the system has no certificate authorities".into(),
                expected: format!("a PEM file, since {} is https", self.peer.url_key),
            });
        }
        let roots: RootCerts =
            found.iter().map(|certificate| Certificate::from_der(certificate).to_owned()).into();
        self.system_roots = Some(roots.clone());
        Ok(roots)
    }

    fn client(&mut self, secrets: &Secrets) -> Result<Option<ClientCert>, Vec<ConfigError>> {
        let (Some((chain, key)), Some((chain_key, key_key))) = (&mut self.client, self.peer.client_keys)
        else {
            return Ok(None);
        };
        match (certificates(chain, chain_key), private_key(key, key_key)) {
            (Ok(chain), Ok(key)) if is_pair(&chain, &key) => {
                // The text of the PEM file without its line breaks.
                secrets.add_rotated(key_key, &STANDARD.encode(key.der()));
                Ok(Some(ClientCert::new_with_certs(&chain, key)))
            }
            (Ok(_), Ok(_)) => Err(vec![ConfigError {
                key: key_key,
                problem: format!("holds no key that matches the certificate in {chain_key}"),
                expected: "the private key of that certificate, RSA, ECDSA or Ed25519".into(),
            }]),
            (chain, key) => Err(chain.err().into_iter().chain(key.err()).collect()),
        }
    }
}

/// Warns at the start about settings that expose secrets.
pub fn warn_of(weaknesses: Weaknesses, log: &HostLog) {
    let Weaknesses { in_the_clear, unverified } = weaknesses;
    if let Some(text) = in_the_clear {
        log.warn("secret in the clear", text);
    }
    if let Some(text) = unverified {
        log.warn("certificate not verified", text);
    }
}

/// Whether rustls can use a certificate as an authority. ureq would silently skip it otherwise.
fn is_authority(certificate: &Certificate<'static>) -> bool {
    rustls::RootCertStore::empty().add(CertificateDer::from(certificate.der().to_vec())).is_ok()
}

/// Whether a key belongs to the first certificate of a chain. ureq would panic at the first connection otherwise.
fn is_pair(chain: &[Certificate<'static>], key: &PrivateKey<'static>) -> bool {
    let chain = chain.iter().map(|certificate| CertificateDer::from(certificate.der().to_vec())).collect();
    PrivateKeyDer::try_from(key.der().to_vec())
        .is_ok_and(|key| CertifiedKey::from_der(chain, key, &default_provider()).is_ok())
}

/// All certificates of a file, at least one.
fn certificates(file: &mut WatchedFile, key: &'static str) -> Result<Vec<Certificate<'static>>, ConfigError> {
    let expected = || "certificates in PEM (-----BEGIN CERTIFICATE-----)".to_owned();
    let refused = |why: WatchedError| ConfigError { key, problem: why.to_string(), expected: expected() };
    let content = file.read().map_err(refused)?;
    let found: Result<Vec<_>, _> = parse_pem(&content)
        .filter_map(|item| match item {
            Ok(PemItem::Certificate(certificate)) => Some(Ok(certificate)),
            Ok(_) => None,
            // The error is dropped, because it may quote a line, and the file may also hold a key.
            Err(_) => Some(Err(())),
        })
        .collect();
    match found {
        Ok(found) if !found.is_empty() => Ok(found),
        Ok(_) => {
            Err(ConfigError { key, problem: holds(file.path(), "no certificate"), expected: expected() })
        }
        Err(()) => Err(ConfigError { key, problem: holds(file.path(), "damaged PEM"), expected: expected() }),
    }
}

/// The first private key of a file.
fn private_key(file: &mut WatchedFile, key: &'static str) -> Result<PrivateKey<'static>, ConfigError> {
    let error = |problem| ConfigError {
        key,
        problem,
        expected: "a private key in PEM without a passphrase (PKCS#8, PKCS#1 or SEC1)".to_owned(),
    };
    let content = file.read().map_err(|why| error(why.to_string()))?;
    // The error is dropped, because it may quote the key.
    PrivateKey::from_pem(&content).map_err(|_| error(holds(file.path(), "no private key that can be read")))
}

fn holds(path: &Path, what: &str) -> String {
    format!("{} holds {what}", path.display())
}
