//! How the plugin authenticates to the gateway.
//!
//! A token or basic authentication works with any format. For services with a key of their own, `api_key_file` holds
//! the key, and no other credentials are allowed.

use std::path::PathBuf;

use super::format::{FormatName, KeyPlace};
use super::reader::Reader;

/// The credentials. `net::credentials` reads the files, again when they change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Credentials {
    /// Requests carry no credentials. The only choice for `unix://` and `file://`.
    None,
    /// The header `Authorization: Bearer <token>` (RFC 6750).
    Bearer {
        /// `bearer_token_file`, or `kube_token_file` for the API server. It holds one line, the token.
        token_file: PathBuf,
    },
    /// The header `Authorization: Basic <user:password in Base64>` (RFC 7617).
    Basic {
        /// `basic_user`; without a colon, because the first colon ends the user (RFC 7617).
        user: String,
        /// `basic_password_file`. It holds one line, the password.
        password_file: PathBuf,
    },
    /// A service's own key, and where the service looks for it.
    ApiKey {
        /// `api_key_file`. It holds one line, the key.
        key_file: PathBuf,
        /// Follows from the format ([`FormatName::key_place`]).
        place: KeyPlace,
    },
}

/// `None` if there was an error.
pub(super) fn read(from: &mut Reader<'_>, format: Option<FormatName>) -> Option<Credentials> {
    const KEY: &str = "api_key_file";
    let others = of_any_format(from);
    let before = from.errors.len();
    let key_file = from.file(KEY);
    let credentials = match (format.and_then(FormatName::key_place), key_file) {
        (Some(_), _) if others.as_ref().is_some_and(|others| *others != Credentials::None) => {
            let problem = "is the only way to authenticate with this format";
            from.refuse(KEY, problem, "bearer_token_file, basic_user and basic_password_file unset");
            None
        }
        (Some(place), Some(key_file)) => Some(Credentials::ApiKey { key_file, place }),
        (Some(_), None) => {
            if from.errors.len() == before {
                from.refuse(KEY, "is not set", "a file with the service's key, which this format needs");
            }
            None
        }
        (None, Some(_)) if format.is_some() => {
            from.refuse(
                KEY,
                "is set, but this format does not use it",
                format!("format {}; bearer_token_file for a token", FormatName::with_key()),
            );
            None
        }
        (None, _) => others,
    };
    credentials.filter(|_| from.errors.len() == before)
}

fn of_any_format(from: &mut Reader<'_>) -> Option<Credentials> {
    let before = from.errors.len();
    let token_file = from.file("bearer_token_file");
    let user = from.text("basic_user");
    let password_file = from.file("basic_password_file");
    if from.errors.len() > before {
        return None;
    }
    match (token_file, user, password_file) {
        (None, None, None) => Some(Credentials::None),
        (Some(token_file), None, None) => Some(Credentials::Bearer { token_file }),
        (None, Some(user), Some(password_file)) if !user.contains(':') => {
            Some(Credentials::Basic { user, password_file })
        }
        (None, Some(_), Some(_)) => {
            from.refuse("basic_user", "contains a colon", "a user name without a colon (RFC 7617)");
            None
        }
        (None, Some(_), None) => {
            from.refuse("basic_password_file", "is not set", "a file, since basic_user is set");
            None
        }
        (None, None, Some(_)) => {
            from.refuse("basic_user", "is not set", "a user name, since basic_password_file is set");
            None
        }
        (Some(_), _, _) => {
            from.refuse("bearer_token_file", "is set together with basic authentication", "one of the two");
            None
        }
    }
}
