//! Who we are to the API server and whom we trust: files that change, read once for all reflectors.
//!
//! The kubelet renews the token of a pod about once an hour, and clusters exchange their authority. Both
//! files are looked at before every request, which for a watch is every five to ten minutes at the latest.

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

/// Deliberately without `Debug`.
pub(super) struct Auth(Mutex<State>);

struct State {
    authorization: Authorization,
    files: Option<TlsFiles>,
    trust: Trust,
}

/// What connections are made with; another `edition` when the files have changed.
#[derive(Clone)]
pub(super) struct Trust {
    pub tls: Option<TlsConfig>,
    pub edition: u64,
}

impl Auth {
    /// # Errors
    /// Everything that is wrong with the files.
    pub(super) fn open(settings: &TopologySettings, log: &HostLog) -> Result<Self, Vec<ConfigError>> {
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

    /// The header and the trust to use now. `renew`: the header was refused, whatever its file looks like.
    pub(super) fn now(&self, renew: bool, log: &HostLog) -> (Option<HeaderValue>, Trust) {
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
