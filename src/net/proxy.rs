//! The proxy of the environment (HTTPS_PROXY, HTTP_PROXY, ALL_PROXY): its URL may hold a user and a password.

use crate::secrets::Secrets;

/// Hides the password from now on. Its `Proxy-Authorization` is hidden with it, as base64 is read. A user without a
/// password is a key.
pub fn hide_password(secrets: &Secrets) {
    let Some(proxy) = ureq::Proxy::try_from_env() else { return };
    let password = proxy.password().filter(|password| !password.is_empty());
    if let Some(secret) = password.or_else(|| proxy.username()) {
        secrets.add(secret);
    }
}
