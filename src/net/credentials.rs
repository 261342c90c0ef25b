//! The header that says who we are, `Authorization` nearly always, from files that change while we run.
//!
//! Kubernetes renews a projected token long before it ends, and secrets are exchanged under a running pod.
//! So the file is read again whenever it looks different, and when the remote endpoint answers 401.

use ureq::http::header::AUTHORIZATION;
use ureq::http::{HeaderName, HeaderValue};

use super::watched::Watched;
use crate::config::{ConfigError, Credentials, KeyPlace};
use crate::log::HostLog;

/// The header, and where it comes from. Deliberately without `Debug`.
pub struct Authorization {
    source: Option<Source>,
    current: Option<Current>,
}

struct Source {
    key: &'static str,
    scheme: Scheme,
    file: Watched,
}

enum Scheme {
    /// RFC 6750.
    Bearer,
    /// RFC 7617.
    Basic { user: String },
    /// A service's own key.
    ApiKey(KeyPlace),
}

const API_KEY_FILE: &str = "api_key_file";
/// What a password is exchanged in, too.
const ENCODED: &str = "encoded password";

struct Current {
    /// `None`: the secret goes into the body.
    header: Option<HeaderValue>,
    /// What is secret in it: the token, or the password, and its encoded form.
    secrets: Vec<String>,
}

impl Authorization {
    /// Reads the file for the first time. `token_key` is the key that names the token's file. What is secret is hidden
    /// in the log from now on.
    ///
    /// # Errors
    /// When it cannot be read or holds nothing that a header can carry.
    pub fn open(settings: &Credentials, token_key: &'static str, log: &HostLog) -> Result<Self, ConfigError> {
        let (key, scheme, path) = match settings {
            Credentials::None => return Ok(Self { source: None, current: None }),
            Credentials::Bearer { token_file } => (token_key, Scheme::Bearer, token_file),
            Credentials::Basic { user, password_file } => {
                ("basic_password_file", Scheme::Basic { user: user.clone() }, password_file)
            }
            Credentials::ApiKey { key_file, place } => (API_KEY_FILE, Scheme::ApiKey(*place), key_file),
        };
        let mut source = Source { key, scheme, file: Watched::new(path.clone()) };
        match source.read() {
            // Records that are rendered hold the key as it was: what is read later would be another.
            Ok(current) => {
                current.hide_in(key, log);
                let source =
                    (!matches!(source.scheme, Scheme::ApiKey(KeyPlace::Body { .. }))).then_some(source);
                Ok(Self { source, current: Some(current) })
            }
            Err(problem) => {
                Err(ConfigError { key, problem, expected: "a file with one line, the secret".to_owned() })
            }
        }
    }

    /// What the header is called.
    #[must_use]
    pub fn name(&self) -> HeaderName {
        match &self.source {
            Some(Source { scheme: Scheme::ApiKey(KeyPlace::Header { name }), .. }) => {
                HeaderName::from_static(name)
            }
            _ => AUTHORIZATION,
        }
    }

    /// The key that goes into the body instead of a header.
    #[must_use]
    pub fn in_the_body(&self) -> Option<&str> {
        let current = self.current.as_ref().filter(|current| current.header.is_none())?;
        current.secrets.first().map(String::as_str)
    }

    /// The header to send now, from the file as it is now.
    pub fn header(&mut self, log: &HostLog) -> Option<&HeaderValue> {
        if self.source.as_ref().is_some_and(|source| source.file.changed()) {
            self.reread(log);
        }
        self.current.as_ref().and_then(|current| current.header.as_ref())
    }

    /// Reads the file, whatever it looks like. Says whether the header is another one now. When the file
    /// is of no use, the header stays as it was: the old secret may still be good.
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
                log.warn("credentials", format!("{key}: {problem}; the secret read before stays in use"));
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

impl Source {
    /// # Errors
    /// What is wrong with the file; never its content.
    fn read(&mut self) -> Result<Current, String> {
        let content = self.file.read()?;
        let shown = self.file.path().display();
        // Editors and `echo` end a file with a newline, `kubectl create secret` does not.
        let end = content.iter().rposition(|byte| !matches!(byte, b'\n' | b'\r')).map_or(0, |last| last + 1);
        let secret = &content[..end];
        if secret.trim_ascii().is_empty() {
            return Err(format!("{shown} is empty"));
        }
        // RFC 7617 keeps control characters out of a password too.
        if secret.iter().any(u8::is_ascii_control) {
            return Err(format!("{shown} holds a line break or another control character within the secret"));
        }
        let text = String::from_utf8(secret.to_vec()).map_err(|_| format!("{shown} is not UTF-8"))?;
        let (header, secrets) = match &self.scheme {
            Scheme::Bearer => (format!("Bearer {text}"), vec![text]),
            Scheme::Basic { user } => {
                let encoded = base64(format!("{user}:{text}").as_bytes());
                (format!("Basic {encoded}"), vec![text, encoded])
            }
            Scheme::ApiKey(KeyPlace::Authorization { scheme }) => (format!("{scheme} {text}"), vec![text]),
            Scheme::ApiKey(KeyPlace::Header { .. }) => (text.clone(), vec![text]),
            Scheme::ApiKey(KeyPlace::Body { characters }) => {
                let found = text.chars().count();
                if found == *characters {
                    return Ok(Current { header: None, secrets: vec![text] });
                }
                return Err(format!(
                    "{shown} holds {found} characters, and a key of this service has {characters}"
                ));
            }
        };
        // RFC 9110, 11.4: credentials are ASCII, and the HTTP client sends no others.
        let header = HeaderValue::try_from(header).ok().filter(|header| header.to_str().is_ok());
        let mut header = header
            .ok_or_else(|| format!("{shown} holds characters that no header can carry as credentials"))?;
        header.set_sensitive(true);
        Ok(Current { header: Some(header), secrets })
    }
}

/// RFC 4648, with padding.
fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for three in bytes.chunks(3) {
        let bits = three.iter().fold(0_usize, |bits, byte| bits << 8 | usize::from(*byte))
            << (8 * (3 - three.len()));
        for place in 0..4 {
            let known = place <= three.len();
            text.push(if known { char::from(ALPHABET[bits >> (18 - 6 * place) & 63]) } else { '=' });
        }
    }
    text
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
    fn base64_as_in_rfc_4648() {
        for (plain, encoded) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
            ("Aladdin:open sesame", "QWxhZGRpbjpvcGVuIHNlc2FtZQ=="),
        ] {
            assert_eq!(base64(plain.as_bytes()), encoded);
        }
        assert_eq!(base64(&[0xfb, 0xff, 0xfe]), "+//+");
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
            assert_eq!(header_of(&mut basic, &log), format!("Basic {}", base64(b"Aladdin:sesame")));
        }
        let mut none = open(&Credentials::None).unwrap();
        assert!(none.header(&HostLog::default()).is_none());
        assert!(!none.reread(&HostLog::default()));
    }

    #[test]
    fn a_useless_file_is_a_error_that_does_not_show_it() {
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
            assert!(error.contains("no header can carry") && !error.contains("same"), "{error}");
        }
        assert!(open(&Credentials::Basic { user: "Aladdin".into(), password_file: path }).is_ok());
    }

    #[test]
    fn a_useless_new_file_keeps_the_old_secret_and_is_logged_once() {
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
