//! The header with our credentials, usually `Authorization`, from a file that may change while we run.
//!
//! Kubernetes renews a projected token long before it expires, and may replace secrets under a running pod. So the file
//! is read again when its metadata has changed, and when the remote endpoint answers 401.

use std::fmt;
use std::path::PathBuf;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ureq::http::header::AUTHORIZATION;
use ureq::http::{HeaderName, HeaderValue};

use super::watched::{WatchedError, WatchedFile};
use crate::config::{ConfigError, Credentials, KeyPlace};
use crate::log::HostLog;

/// The header, and the file it comes from. It has no `Debug`, so that it cannot be logged.
pub struct Authorization {
    source: Option<SecretFile>,
    current: Option<Current>,
}

struct SecretFile {
    key: &'static str,
    scheme: AuthScheme,
    file: WatchedFile,
}

enum AuthScheme {
    /// RFC 6750.
    Bearer,
    /// RFC 7617.
    Basic { user: String },
    /// A service's own key.
    ApiKey(KeyPlace),
}

const API_KEY_FILE: &str = "api_key_file";
/// The name under which a password's encoded form is kept among the secrets.
const ENCODED: &str = "encoded password";

struct Current {
    /// `None`: the secret belongs in the body.
    header: Option<HeaderValue>,
    /// The secrets in it: the token, or the password and its encoded form.
    secrets: Vec<String>,
}

impl Authorization {
    /// Reads the file for the first time. `token_key` is the key that names the token's file. From now on the log hides
    /// the secrets.
    ///
    /// # Errors
    /// If the file cannot be read or its content cannot be sent in a header.
    pub fn open(settings: &Credentials, token_key: &'static str, log: &HostLog) -> Result<Self, ConfigError> {
        let (key, scheme, path) = match settings {
            Credentials::None => return Ok(Self { source: None, current: None }),
            Credentials::Bearer { token_file } => (token_key, AuthScheme::Bearer, token_file),
            Credentials::Basic { user, password_file } => {
                ("basic_password_file", AuthScheme::Basic { user: user.clone() }, password_file)
            }
            Credentials::ApiKey { key_file, place } => (API_KEY_FILE, AuthScheme::ApiKey(*place), key_file),
        };
        let mut source = SecretFile { key, scheme, file: WatchedFile::new(path.clone()) };
        match source.read() {
            Ok(current) => {
                current.hide_in(key, log);
                // The file of a key in the body is read only once, because rendered records already contain the key.
                let is_in_the_body = matches!(source.scheme, AuthScheme::ApiKey(KeyPlace::Body { .. }));
                let source = (!is_in_the_body).then_some(source);
                Ok(Self { source, current: Some(current) })
            }
            Err(why) => {
                let expected = "a file with one line, the secret".to_owned();
                Err(ConfigError { key, problem: why.to_string(), expected })
            }
        }
    }

    /// The name of the header.
    #[must_use]
    pub fn name(&self) -> HeaderName {
        match &self.source {
            Some(SecretFile { scheme: AuthScheme::ApiKey(KeyPlace::Header { name }), .. }) => {
                HeaderName::from_static(name)
            }
            _ => AUTHORIZATION,
        }
    }

    /// The key that belongs in the body instead of a header.
    #[must_use]
    pub fn in_the_body(&self) -> Option<&str> {
        let current = self.current.as_ref().filter(|current| current.header.is_none())?;
        current.secrets.first().map(String::as_str)
    }

    /// The header to send now; reads the file again if it has changed.
    pub fn header(&mut self, log: &HostLog) -> Option<&HeaderValue> {
        if self.source.as_ref().is_some_and(|source| source.file.changed()) {
            self.reread(log);
        }
        self.current.as_ref().and_then(|current| current.header.as_ref())
    }

    /// Reads the file again, and says whether the header has changed. If the file is unusable, the header stays as it
    /// was, because the old secret may still be valid.
    pub fn reread(&mut self, log: &HostLog) -> bool {
        let Some(source) = &mut self.source else { return false };
        match source.read() {
            Ok(new) => {
                let other = self.current.as_ref().is_none_or(|old| old.header != new.header);
                new.hide_in(source.key, log);
                self.current = Some(new);
                other
            }
            Err(problem) => {
                let key = source.key;
                log.warn("credentials", format!("{key}: {problem}; the previous secret stays in use"));
                false
            }
        }
    }
}

impl Current {
    fn hide_in(&self, key: &'static str, log: &HostLog) {
        for (of, secret) in [key, ENCODED].into_iter().zip(&self.secrets) {
            log.secrets().add_rotated(of, secret);
        }
    }
}

impl SecretFile {
    /// # Errors
    /// Says what is wrong with the file, without its content.
    fn read(&mut self) -> Result<Current, CredentialsError> {
        let content = self.file.read().map_err(CredentialsError::Unreadable)?;
        let unfit = |why| CredentialsError::Unfit { path: self.file.path().to_owned(), why };
        // Editors and `echo` end a file with a newline; `kubectl create secret` does not.
        let end = content.iter().rposition(|byte| !matches!(byte, b'\n' | b'\r')).map_or(0, |last| last + 1);
        let secret = &content[..end];
        if secret.trim_ascii().is_empty() {
            return Err(unfit(Unfit::Empty));
        }
        // RFC 7617 forbids control characters in a password, too.
        if secret.iter().any(u8::is_ascii_control) {
            return Err(unfit(Unfit::ControlCharacter));
        }
        let text = String::from_utf8(secret.to_vec()).map_err(|_| unfit(Unfit::NotUtf8))?;
        let (header, secrets) = match &self.scheme {
            AuthScheme::Bearer => (format!("Bearer {text}"), vec![text]),
            AuthScheme::Basic { user } => {
                let encoded = STANDARD.encode(format!("{user}:{text}"));
                (format!("Basic {encoded}"), vec![text, encoded])
            }
            AuthScheme::ApiKey(KeyPlace::Authorization { scheme }) => {
                (format!("{scheme} {text}"), vec![text])
            }
            AuthScheme::ApiKey(KeyPlace::Header { .. }) => (text.clone(), vec![text]),
            AuthScheme::ApiKey(KeyPlace::Body { characters }) => {
                let found = text.chars().count();
                if found == *characters {
                    return Ok(Current { header: None, secrets: vec![text] });
                }
                return Err(unfit(Unfit::Length { found, expected: *characters }));
            }
        };
        // RFC 9110, 11.4: credentials are ASCII, and the HTTP client sends nothing else.
        let header = HeaderValue::try_from(header).ok().filter(|header| header.to_str().is_ok());
        let mut header = header.ok_or_else(|| unfit(Unfit::NoHeader))?;
        header.set_sensitive(true);
        Ok(Current { header: Some(header), secrets })
    }
}

/// Why a file holds no credentials. At the start the setting is refused; later the caller logs it and keeps the secret that
/// it read before. Nothing here shows the content.
#[derive(Debug)]
enum CredentialsError {
    /// It cannot be read.
    Unreadable(WatchedError),
    /// Its content cannot be sent.
    Unfit { path: PathBuf, why: Unfit },
}

#[derive(Debug)]
enum Unfit {
    Empty,
    ControlCharacter,
    NotUtf8,
    /// In characters.
    Length {
        found: usize,
        expected: usize,
    },
    NoHeader,
}

impl fmt::Display for CredentialsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (path, why) = match self {
            Self::Unreadable(error) => return error.fmt(f),
            Self::Unfit { path, why } => (path.display(), why),
        };
        match why {
            Unfit::Empty => write!(f, "{path} is empty"),
            Unfit::ControlCharacter => {
                write!(f, "{path} contains a line break or another control character within the secret")
            }
            Unfit::NotUtf8 => write!(f, "{path} is not UTF-8"),
            Unfit::Length { found, expected } => {
                write!(f, "{path} has {found} characters, but a key of this service has {expected}")
            }
            Unfit::NoHeader => {
                write!(f, "{path} contains characters that a header cannot carry as credentials")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::PathBuf;
    use std::time::Duration;

    use super::*;
    use crate::clock;

    fn file(content: &[u8]) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        fs::write(&path, content).unwrap();
        (folder, path)
    }

    fn open(settings: &Credentials) -> Result<Authorization, ConfigError> {
        Authorization::open(settings, "bearer_token_file", &HostLog::default())
    }

    fn header_of(authorization: &mut Authorization, log: &HostLog) -> String {
        authorization.header(log).unwrap().to_str().unwrap().to_owned()
    }

    #[test]
    fn the_header_is_sensitive_and_its_newline_trimmed() {
        for content in ["sesame", "sesame\n", "sesame\r\n", "sesame\n\n"] {
            let (_folder, path) = file(content.as_bytes());
            let log = HostLog::default();
            let mut bearer = open(&Credentials::Bearer { token_file: path.clone() }).unwrap();
            assert_eq!(header_of(&mut bearer, &log), "Bearer sesame");
            assert!(bearer.header(&log).unwrap().is_sensitive());
            assert!(!format!("{:?}", bearer.header(&log)).contains("sesame"));
            let basic = Credentials::Basic { user: "Aladdin".into(), password_file: path };
            let mut basic = open(&basic).unwrap();
            assert_eq!(header_of(&mut basic, &log), "Basic QWxhZGRpbjpzZXNhbWU=");
        }
        let mut none = open(&Credentials::None).unwrap();
        assert!(none.header(&HostLog::default()).is_none());
        assert!(!none.reread(&HostLog::default()));
    }

    #[test]
    fn an_unusable_file_is_an_error_that_does_not_show_its_content() {
        for content in [&b""[..], b"\n\n", b"  ", b"sesame\nopen", b"ses\0ame", b"sesame\xff", b"ses\x7fame"]
        {
            let (_folder, path) = file(content);
            let bearer = Credentials::Bearer { token_file: path.clone() };
            let basic = Credentials::Basic { user: "Aladdin".into(), password_file: path };
            for (settings, key) in [(bearer, "bearer_token_file"), (basic, "basic_password_file")] {
                let error = open(&settings).err().expect("an error");
                assert_eq!(error.key, key);
                assert!(!error.to_string().contains("ses"), "{error}");
            }
        }
    }

    /// A password is encoded before it goes into a header, and a token is not.
    #[test]
    fn a_token_beyond_ascii_is_refused_and_a_password_is_not() {
        let (_folder, path) = file("sésame".as_bytes());
        for settings in [
            Credentials::Bearer { token_file: path.clone() },
            Credentials::ApiKey { key_file: path.clone(), place: KeyPlace::Authorization { scheme: "Key" } },
        ] {
            let error = open(&settings).err().expect("an error").to_string();
            assert!(error.contains("a header cannot carry") && !error.contains("same"), "{error}");
        }
        assert!(open(&Credentials::Basic { user: "Aladdin".into(), password_file: path }).is_ok());
    }

    #[test]
    fn an_unusable_new_file_keeps_the_old_secret_and_is_logged_once() {
        let (_folder, path) = file(b"sesame");
        let log = HostLog::default();
        let settings = Credentials::Bearer { token_file: path.clone() };
        let mut bearer = Authorization::open(&settings, "bearer_token_file", &log).unwrap();
        fs::write(&path, "").unwrap();
        for _ in 0..3 {
            assert_eq!(header_of(&mut bearer, &log), "Bearer sesame");
        }
        let lines = log.drain(clock::monotonic());
        assert_eq!(lines.len(), 1, "{lines:?}");
        assert_eq!(lines[0].level, crate::log::Level::Warn);
        assert!(lines[0].text.contains("bearer_token_file") && !lines[0].text.contains("sesame"));
        fs::write(&path, "open").unwrap();
        assert_eq!(header_of(&mut bearer, &log), "Bearer open");
        let shown = log.secrets().hide_in("sesame and open".to_owned());
        assert_eq!(shown, "[hidden] and [hidden]", "the former one, too");
        std::thread::sleep(Duration::from_millis(20));
        assert!(!bearer.reread(&log), "nothing new");
    }
}
