//! Certificates for a gateway that speaks TLS, made anew for every test.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rcgen::{BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
use rustls::{RootCertStore, ServerConfig, server::WebPkiClientVerifier};

/// What a gateway needs to speak TLS: files in PEM. With `client_ca` it demands a certificate.
#[derive(Clone, Debug)]
pub struct TlsFiles {
    pub certificate: PathBuf,
    pub key: PathBuf,
    pub client_ca: Option<PathBuf>,
}

impl TlsFiles {
    pub fn server_config(&self) -> Arc<ServerConfig> {
        // Named here, as a test process has no default provider, like the host's process.
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let chain: Vec<_> = CertificateDer::pem_file_iter(&self.certificate)
            .and_then(Iterator::collect)
            .expect("a chain of certificates");
        let key = PrivateKeyDer::from_pem_file(&self.key).expect("a private key");
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .expect("ring offers TLS 1.2 and 1.3");
        let builder = match &self.client_ca {
            None => builder.with_no_client_auth(),
            Some(file) => {
                let mut roots = RootCertStore::empty();
                roots.add(CertificateDer::from_pem_file(file).expect("a CA")).expect("a CA");
                let roots = Arc::new(roots);
                let verifier = WebPkiClientVerifier::builder_with_provider(roots, provider);
                builder.with_client_cert_verifier(verifier.build().expect("a client CA"))
            }
        };
        Arc::new(builder.with_single_cert(chain, key).expect("a key that fits"))
    }
}

/// A CA, and under it a certificate for the server and one for a client, as PEM files in a folder
/// of their own. Every `Certificates` is another CA.
pub struct Certificates {
    folder: tempfile::TempDir,
}

impl Certificates {
    /// For a gateway at 127.0.0.1 and localhost.
    pub fn new() -> Self {
        Self::make(&["127.0.0.1", "localhost"], 2100)
    }

    pub fn for_names(server_names: &[&str]) -> Self {
        Self::make(server_names, 2100)
    }

    /// The server's certificate ran out in 2001; the client's is good.
    pub fn expired() -> Self {
        Self::make(&["127.0.0.1", "localhost"], 2001)
    }

    fn make(server_names: &[&str], server_end_year: i32) -> Self {
        let folder = tempfile::tempdir().expect("a folder for certificates");
        let write = |name: &str, text: String| {
            std::fs::write(folder.path().join(name), text).expect("a PEM file");
        };
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        // A name of its own, or a wrong CA would fail at the signature and not as an unknown issuer.
        static CAS: AtomicUsize = AtomicUsize::new(1);
        let name = format!("test CA {}", CAS.fetch_add(1, Ordering::Relaxed));
        params.distinguished_name.push(DnType::CommonName, name);
        let key = rcgen::KeyPair::generate().expect("a key");
        write("ca.pem", params.self_signed(&key).expect("a CA").pem());
        let issuer = rcgen::Issuer::new(params, key);
        let leaf = |name: &str, names: &[&str], usage, end_year| {
            let names: Vec<String> = names.iter().map(ToString::to_string).collect();
            let mut params = CertificateParams::new(names).expect("names for a certificate");
            params.distinguished_name.push(DnType::CommonName, name);
            params.extended_key_usages.push(usage);
            params.not_before = rcgen::date_time_ymd(2000, 1, 1);
            params.not_after = rcgen::date_time_ymd(end_year, 1, 1);
            let key = rcgen::KeyPair::generate().expect("a key");
            let certificate = params.signed_by(&key, &issuer).expect("a certificate");
            write(&format!("{name}.pem"), certificate.pem());
            write(&format!("{name}-key.pem"), key.serialize_pem());
        };
        leaf("server", server_names, ExtendedKeyUsagePurpose::ServerAuth, server_end_year);
        leaf("client", &["client"], ExtendedKeyUsagePurpose::ClientAuth, 2100);
        Certificates { folder }
    }

    /// `ca.pem`, `server.pem`, `server-key.pem`, `client.pem` or `client-key.pem`.
    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn server(&self) -> TlsFiles {
        let (certificate, key) = (self.file("server.pem"), self.file("server-key.pem"));
        TlsFiles { certificate, key, client_ca: None }
    }

    /// The gateway demands a client's certificate of this CA.
    pub fn server_demanding_client(&self) -> TlsFiles {
        TlsFiles { client_ca: Some(self.file("ca.pem")), ..self.server() }
    }
}
