//! The secret key in the ledger's file. What is written beside the ledger carries a check made with it.
//!
//! A process that may write into the folder but not read the ledger cannot make such a check. The key is random, made with the file,
//! and copied with its contents into each file that replaces it.

use std::fmt;

use hmac::{Hmac, Mac};
use sha2::Sha256;

/// As long as the output of SHA-256: a longer key adds nothing (RFC 2104, 3).
pub const KEY_BYTES: usize = 32;
/// The length of a check.
pub const CHECK_BYTES: usize = 32;

/// The key of HMAC-SHA256. Its `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct CheckKey([u8; KEY_BYTES]);

impl CheckKey {
    /// A new key; `None` if the system has no randomness to give.
    #[must_use]
    pub fn random() -> Option<Self> {
        let mut bytes = [0; KEY_BYTES];
        getrandom::getrandom(&mut bytes).ok().map(|()| Self(bytes))
    }

    /// `None` if the length is wrong.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// For the ledger's file only: anyone who has them can make a valid check.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// HMAC-SHA256 of the parts, one after the other. `None` never happens: any key is long enough.
    #[must_use]
    pub fn check(&self, parts: &[&[u8]]) -> Option<[u8; CHECK_BYTES]> {
        Some(self.of(parts)?.finalize().into_bytes().into())
    }

    /// Whether the check is that of the parts. Takes the same time wherever they differ.
    #[must_use]
    pub fn fits(&self, parts: &[&[u8]], check: &[u8]) -> bool {
        self.of(parts).is_some_and(|mac| mac.verify_slice(check).is_ok())
    }

    fn of(&self, parts: &[&[u8]]) -> Option<Hmac<Sha256>> {
        let mut mac = Hmac::new_from_slice(&self.0).ok()?;
        parts.iter().for_each(|part| mac.update(part));
        Some(mac)
    }
}

/// Shows nothing of the key.
impl fmt::Debug for CheckKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CheckKey")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 4231, 4.2, with its key of 20 bytes as one of 32: zeros behind a key are a part of HMAC.
    #[test]
    fn it_is_hmac_sha256() {
        let mut bytes = [0; KEY_BYTES];
        bytes[..20].fill(0x0b);
        let key = CheckKey(bytes);
        let check = key.check(&[b"Hi ", b"There"]).unwrap();
        let shown: String = check.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(shown, "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
        assert!(key.fits(&[b"Hi There"], &check));
        assert!(!key.fits(&[b"Hi there"], &check));
        assert!(!key.fits(&[b"Hi There"], &check[..31]));
        assert!(!CheckKey::random().unwrap().fits(&[b"Hi There"], &check));
        assert_ne!(CheckKey::random(), CheckKey::random());
        assert_eq!(format!("{key:?}"), "CheckKey");
    }
}
