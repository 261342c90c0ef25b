//! Credentials for the API server and the certificates that verify it, shared by all connections to it.
//!
//! The kubelet renews a pod's token about once an hour, and clusters rotate their certificate authority. So
//! both files are checked before every request; a watch makes one every five to ten minutes at the latest.

use std::sync::{Mutex, PoisonError};

use ureq::http::HeaderValue;
use ureq::tls::TlsConfig;

use crate::config::{ConfigError, Credentials, TopologySettings};
use crate::log::HostLog;
use crate::net::credentials::Authorization;
use crate::net::peer::API_SERVER;
use crate::net::proxy;
use crate::net::tls::{TlsFiles, warn_of};
use crate::secrets::keys::keys_in;

/// Has no `Debug`, so that the token cannot reach a log.
pub(crate) struct Auth(Mutex<State>);

struct State {
    authorization: Authorization,
    files: Option<TlsFiles>,
    trust: Trust,
}

/// TLS settings for connections. `edition` rises when the files change.
#[derive(Clone)]
pub(crate) struct Trust {
    pub tls: Option<TlsConfig>,
    pub edition: u64,
}

impl Auth {
    /// Reads the files.
    ///
    /// # Errors
    /// All errors in the files.
    pub(crate) fn open(settings: &TopologySettings, log: &HostLog) -> Result<Self, Vec<ConfigError>> {
        let mut errors = Vec::new();
        proxy::hide_password(log.secrets());
        keys_in(&settings.url.url).for_each(|key| log.secrets().add(key));
        let credentials = settings.token_file.clone();
        let credentials =
            credentials.map_or(Credentials::None, |token_file| Credentials::Bearer { token_file });
        let authorization =
            Authorization::open(&credentials, API_SERVER.token_key, log).map_err(|error| errors.push(error));
        let mut files = settings.url.https.then(|| TlsFiles::new(&settings.tls, API_SERVER));
        let tls = files
            .as_mut()
            .map(|files| files.load(log.secrets()))
            .transpose()
            .map_err(|more| errors.extend(more));
        match (authorization, tls) {
            (Ok(authorization), Ok(tls)) => {
                warn_of(settings.weaknesses(), log);
                let trust = Trust { tls, edition: 0 };
                Ok(Self(Mutex::new(State { authorization, files, trust })))
            }
            _ => Err(errors),
        }
    }

    /// The current header and trust. `renew` says that the last header was refused, so the token file is read
    /// again even if it looks unchanged.
    pub(crate) fn now(&self, renew: bool, log: &HostLog) -> (Option<HeaderValue>, Trust) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let State { authorization, files, trust } = &mut *state;
        if renew {
            authorization.reread(log);
        }
        if let Some(files) = files.as_mut().filter(|files| files.changed()) {
            match files.load(log.secrets()) {
                Ok(tls) => *trust = Trust { tls: Some(tls), edition: trust.edition + 1 },
                Err(errors) => {
                    for error in errors {
                        log.warn("tls files", format!("{error}; what was read before stays in use"));
                    }
                }
            }
        }
        (authorization.header(log).cloned(), trust.clone())
    }
}
