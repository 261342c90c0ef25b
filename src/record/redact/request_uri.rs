//! The `requestURI` of a request about secrets. The path contains only names, but the query may contain
//! anything.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

use super::rule::REDACTED;

/// Parameters of the Kubernetes API whose values are names, numbers or keywords.
const KNOWN: [&str; 18] = [
    "allowWatchBookmarks",
    "continue",
    "dryRun",
    "fieldManager",
    "fieldValidation",
    "force",
    "gracePeriodSeconds",
    "ignoreStoreReadErrorWithClusterBreakingPotential",
    "labelSelector",
    "limit",
    "orphanDependents",
    "pretty",
    "propagationPolicy",
    "resourceVersion",
    "resourceVersionMatch",
    "sendInitialEvents",
    "timeoutSeconds",
    "watch",
];
/// The fields by which Secrets can be selected. A refused selector by data would contain the data.
const SELECTABLE: [&str; 3] = ["metadata.name", "metadata.namespace", "type"];

/// The URI with `[redacted]` in place of each unknown parameter.
pub(super) fn without_values(uri: &str) -> Cow<'_, str> {
    let Some((path, query)) = uri.split_once('?') else { return Cow::Borrowed(uri) };
    let kept: Vec<&str> =
        query.split('&').map(|parameter| if is_known(parameter) { parameter } else { REDACTED }).collect();
    Cow::Owned(format!("{path}?{}", kept.join("&")))
}

fn is_known(parameter: &str) -> bool {
    let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
    match name {
        "timeout" => value.bytes().all(|byte| byte.is_ascii_alphanumeric()),
        "fieldSelector" => percent_decode_str(value)
            .decode_utf8_lossy()
            .split(',')
            .all(|term| SELECTABLE.iter().any(|field| selects_by(term, field))),
        _ => KNOWN.contains(&name),
    }
}

/// Whether a term of a selector is about this field: `=`, `==` or `!=` follows it.
fn selects_by(term: &str, field: &str) -> bool {
    let behind = term.strip_prefix(field).unwrap_or_default();
    ["=", "!="].iter().any(|sign| behind.starts_with(sign))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_parameters_of_the_api_leave() {
        for (uri, expected) in [
            ("/api/v1/namespaces/shop/secrets/db", "/api/v1/namespaces/shop/secrets/db"),
            ("/a?fieldManager=kubectl&force=true", "/a?fieldManager=kubectl&force=true"),
            ("/a?data=hunter2&limit=5&hunter2", "/a?[redacted]&limit=5&[redacted]"),
            (
                "/a?fieldSelector=metadata.name%3Ddb%2Ctype!=Opaque",
                "/a?fieldSelector=metadata.name%3Ddb%2Ctype!=Opaque",
            ),
            ("/a?fieldSelector=data.p%3Dhunter2", "/a?[redacted]"),
            ("/a?fieldSelector=metadata.name=db,data=x", "/a?[redacted]"),
            ("/a?timeout=32s&timeout=%7B", "/a?timeout=32s&[redacted]"),
        ] {
            assert_eq!(without_values(uri), expected);
        }
    }
}
