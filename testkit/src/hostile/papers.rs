//! The certificates of a gateway: its own, a renewed one, and those that nobody may trust.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use rustls::ServerConfig;

use super::addresses::NAME;
use crate::gateway::{Certificates, TlsFiles, Welcome};

/// Made once for many trials, as every key costs time.
pub struct Papers {
    good: Certificates,
    renewed: Arc<ServerConfig>,
    expired: Arc<ServerConfig>,
    another_name: Arc<ServerConfig>,
    another_ca: Arc<ServerConfig>,
    another_ca_files: Certificates,
    /// Every authority but one: a certificate that is refused is refused for what is wrong with it.
    trusted: tempfile::NamedTempFile,
}

impl Papers {
    pub fn new() -> Papers {
        let names = ["127.0.0.1", NAME];
        let (good, renewed) = (Certificates::for_names(&names), Certificates::for_names(&names));
        let (expired, another_name) = (Certificates::expired(), Certificates::for_names(&["other.example"]));
        let another_ca = Certificates::for_names(&names);
        let trusted = tempfile::NamedTempFile::new().expect("a file");
        let authority = |of: &Certificates| fs::read_to_string(of.file("ca.pem")).expect("a CA");
        let bundle: String = [&good, &renewed, &expired, &another_name].map(authority).concat();
        fs::write(trusted.path(), bundle).expect("a bundle");
        Papers {
            renewed: renewed.server().server_config(),
            expired: expired.server().server_config(),
            another_name: another_name.server().server_config(),
            another_ca: another_ca.server().server_config(),
            another_ca_files: another_ca,
            good,
            trusted,
        }
    }

    /// For the gateway.
    pub fn server(&self) -> TlsFiles {
        self.good.server()
    }

    /// For somebody else who says to be it.
    pub fn stranger(&self) -> TlsFiles {
        self.another_ca_files.server()
    }

    /// For `ca_file`.
    pub fn trusted(&self) -> PathBuf {
        self.trusted.path().to_owned()
    }

    pub fn renewed(&self) -> Welcome {
        Welcome::Under(Arc::clone(&self.renewed))
    }

    pub fn expired(&self) -> Welcome {
        Welcome::Under(Arc::clone(&self.expired))
    }

    pub fn another_name(&self) -> Welcome {
        Welcome::Under(Arc::clone(&self.another_name))
    }

    pub fn another_ca(&self) -> Welcome {
        Welcome::Under(Arc::clone(&self.another_ca))
    }

    /// Whether the plugin may send anything to a gateway that shows this.
    pub fn is_good(&self, welcome: &Welcome) -> bool {
        match welcome {
            Welcome::Under(shown) => Arc::ptr_eq(shown, &self.renewed),
            _ => true,
        }
    }
}
