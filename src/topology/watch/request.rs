//! The requests for a list and a watch of one resource, as client-go sends them.

use std::fmt::Write;

/// Objects per page, as in client-go's pager.
const PAGE: u32 = 500;
/// A watch asks to end after a random number of seconds, so that watches do not all end together.
const WATCH_SECONDS: std::ops::RangeInclusive<u64> = 290..=590;

const JSON: &str = "application/json";
/// Asks for metadata only; a server that does not support this sends whole objects.
const PARTIAL_LIST: &str =
    "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json";
const PARTIAL_OBJECT: &str = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json";

/// A GET request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiRequest {
    /// Path and query.
    pub target: String,
    /// The header `Accept`: whole objects, or only their metadata for kinds that need no more.
    pub accept: &'static str,
    /// Decides the time limit of the request.
    pub kind: RequestKind,
    /// The last response was 401: read the token file again first.
    pub renew_credentials: bool,
}

/// The kind of a request; each has its own timeout.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RequestKind {
    /// One page, or the whole list.
    List,
    /// Only the version.
    Probe,
    /// The response lasts for minutes.
    Watch,
}

/// Which page of which list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Page {
    /// Any state from the API server's cache, so that it does not read etcd.
    FirstFromCache,
    /// Any state that is not older than what we have seen, after the kind had been given up.
    FirstNotOlderThan(String),
    /// The newest state, after our versions have become too old.
    FirstOfNewest,
    /// The newest state in one response. client-go's pager does this when a continue token expires before the
    /// last page (`FullListIfExpired`).
    Whole,
    /// What follows on a page.
    Next {
        /// The `continue` token of that page.
        token: String,
    },
}

impl Page {
    /// Whether the response is the newest state in etcd, so that its version proves something.
    #[must_use]
    pub fn is_consistent(&self) -> bool {
        matches!(self, Self::FirstOfNewest | Self::Whole)
    }
}

/// The target of a list. `path` is that of the resource.
#[must_use]
pub fn list(path: &str, page: &Page) -> String {
    match page {
        Page::FirstFromCache => format!("{path}?limit={PAGE}&resourceVersion=0"),
        Page::FirstNotOlderThan(version) => {
            let version = escaped(version);
            format!("{path}?limit={PAGE}&resourceVersion={version}&resourceVersionMatch=NotOlderThan")
        }
        Page::FirstOfNewest => format!("{path}?limit={PAGE}"),
        Page::Whole => path.to_owned(),
        // The token includes the version; sending another one is an error.
        Page::Next { token } => format!("{path}?limit={PAGE}&continue={}", escaped(token)),
    }
}

/// Without a resourceVersion this is a consistent read: its version comes from etcd, not from a cache.
#[must_use]
pub fn probe(path: &str) -> String {
    format!("{path}?limit=1")
}

/// A watch of all that comes after a version. `chance` is a uniformly random number.
#[must_use]
pub fn watch(path: &str, version: &str, chance: u64) -> String {
    let version = escaped(version);
    let (least, most) = (WATCH_SECONDS.start(), WATCH_SECONDS.end());
    let seconds = least + chance % (most - least + 1);
    format!("{path}?watch=1&allowWatchBookmarks=true&timeoutSeconds={seconds}&resourceVersion={version}")
}

/// The header `Accept`.
#[must_use]
pub fn accept(metadata_only: bool, is_watch: bool) -> &'static str {
    match (metadata_only, is_watch) {
        (false, _) => JSON,
        (true, false) => PARTIAL_LIST,
        (true, true) => PARTIAL_OBJECT,
    }
}

/// Tokens and versions are opaque, so they are escaped.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            let _ = write!(escaped, "%{byte:02X}"); // a String takes everything
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    const PODS: &str = "/api/v1/pods";

    #[test]
    fn what_is_asked() {
        let page = Page::Next { token: "a+b/c=&x=1 ü".into() };
        assert_eq!(list(PODS, &page), "/api/v1/pods?limit=500&continue=a%2Bb%2Fc%3D%26x%3D1%20%C3%BC");
        assert_eq!(list(PODS, &Page::FirstFromCache), "/api/v1/pods?limit=500&resourceVersion=0");
        assert_eq!(
            list(PODS, &Page::FirstNotOlderThan("7".into())),
            "/api/v1/pods?limit=500&resourceVersion=7&resourceVersionMatch=NotOlderThan"
        );
        assert_eq!(probe(PODS), "/api/v1/pods?limit=1");
        for (chance, seconds) in [(0, 290), (300, 590), (301, 290), (u64::MAX, 290 + u64::MAX % 301)] {
            assert_eq!(
                watch("/apis/batch/v1/jobs", "7", chance),
                format!(
                    "/apis/batch/v1/jobs?watch=1&allowWatchBookmarks=true&timeoutSeconds={seconds}\
                     &resourceVersion=7"
                )
            );
        }
        assert_eq!(accept(false, true), "application/json");
        assert!(accept(true, false).contains("PartialObjectMetadataList"));
    }
}
