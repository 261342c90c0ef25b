//! The proxy from the environment (HTTPS_PROXY, HTTP_PROXY, ALL_PROXY): its URL may hold a user and a password.

use crate::secrets::Secrets;

/// Hides the password in logs from now on, also within `Proxy-Authorization`, because base64 is decoded. A user without
/// a password is treated as a key and hidden instead.
pub fn hide_password(secrets: &Secrets) {
    let Some(proxy) = ureq::Proxy::try_from_env() else { return };
    let password = proxy.password().filter(|password| !password.is_empty());
    if let Some(secret) = password.or_else(|| proxy.username()) {
        secrets.add(secret);
    }
}
