//! The proxy of the environment (HTTPS_PROXY, HTTP_PROXY, ALL_PROXY): its URL may hold a user and a password.

use crate::secrets::Secrets;

/// Hides the password from now on. Its `Proxy-Authorization` is hidden with it, as base64 is read.
pub fn hide_password(secrets: &Secrets) {
    if let Some(password) = ureq::Proxy::try_from_env().as_ref().and_then(ureq::Proxy::password) {
        secrets.add_rotated(password);
    }
}
