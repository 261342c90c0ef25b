//! Who we are to the API server and whom we trust: files that change, read once for all feeders.
//!
//! The kubelet renews the token of a pod about once an hour, and clusters exchange their authority. Both
//! files are looked at before every request, which for a watch is every five to ten minutes at the latest.

use std::sync::{Mutex, PoisonError};

use ureq::http::HeaderValue;
use ureq::tls::TlsConfig;

use crate::config::{Credentials, Mistake, TopologySettings};
use crate::journal::Journal;
use crate::net::credentials::Authorization;
use crate::net::peer::API_SERVER;
use crate::net::proxy;
use crate::net::tls::{TlsFiles, warn_of};
use crate::secrets::keys::keys_in;

/// Deliberately without `Debug`.
pub(super) struct Identity(Mutex<State>);

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

impl Identity {
    /// # Errors
    /// Everything that is wrong with the files.
    pub(super) fn open(settings: &TopologySettings, journal: &Journal) -> Result<Self, Vec<Mistake>> {
        let mut mistakes = Vec::new();
        proxy::hide_password(journal.secrets());
        keys_in(&settings.url.url).for_each(|key| journal.secrets().add(key));
        let credentials = settings.token_file.clone();
        let credentials =
            credentials.map_or(Credentials::None, |token_file| Credentials::Bearer { token_file });
        let authorization = Authorization::open(&credentials, API_SERVER.token_key, journal)
            .map_err(|mistake| mistakes.push(mistake));
        let mut files = settings.url.https.then(|| TlsFiles::new(&settings.tls, API_SERVER));
        let tls = files
            .as_mut()
            .map(|files| files.load(journal.secrets()))
            .transpose()
            .map_err(|more| mistakes.extend(more));
        match (authorization, tls) {
            (Ok(authorization), Ok(tls)) => {
                warn_of(settings.weaknesses(), journal);
                let trust = Trust { tls, edition: 0 };
                Ok(Self(Mutex::new(State { authorization, files, trust })))
            }
            _ => Err(mistakes),
        }
    }

    /// The header and the trust to use now. `renew`: the header was refused, whatever its file looks like.
    pub(super) fn now(&self, renew: bool, journal: &Journal) -> (Option<HeaderValue>, Trust) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let State { authorization, files, trust } = &mut *state;
        if renew {
            authorization.reread(journal);
        }
        if let Some(files) = files.as_mut().filter(|files| files.changed()) {
            match files.load(journal.secrets()) {
                Ok(tls) => *trust = Trust { tls: Some(tls), edition: trust.edition + 1 },
                Err(mistakes) => {
                    for mistake in mistakes {
                        journal.warn("tls files", format!("{mistake}; what was read before stays in use"));
                    }
                }
            }
        }
        (authorization.header(journal).cloned(), trust.clone())
    }
}
