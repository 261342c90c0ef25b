//! Annotations in which tools keep the last applied object as a whole, with the data of a Secret or the
//! environment of a Deployment's containers. Some contain JSON, some YAML, some are compressed.

/// Whether an annotation of this name contains such an object.
#[must_use]
pub fn keeps_an_object(name: &[u8]) -> bool {
    let Some(slash) = name.iter().rposition(|byte| *byte == b'/') else { return false };
    let (domain, name) = (name.get(..slash).unwrap_or_default(), name.get(slash + 1..).unwrap_or_default());
    // A key of managedFields only says that the annotation exists.
    if domain.starts_with(b"f:") {
        return false;
    }
    let begins = |prefix: &[u8]| super::prefilter::begins(name, 0, prefix);
    // kubectl, kopf, operators built with banzaicloud's k8s-objectmatcher, and similar tools.
    begins(b"last-applied")
        || begins(b"lastapplied")
        || begins(b"last-handled")
        // Rancher's objectset.rio.cattle.io/applied, gzip in base64.
        || name.eq_ignore_ascii_case(b"applied")
        // kapp: original, original-diff, original-diff-full.
        || (begins(b"original") && domain.ends_with(b"k14s.io"))
        // kpt and kustomize: config.kubernetes.io, internal.config.kubernetes.io.
        || domain == b"config.kubernetes.io"
        || domain.ends_with(b".config.kubernetes.io")
}

/// The same for a path in a JSON patch, which writes a slash in a name as `~1`.
pub(super) fn leads_to_one(path: &[u8]) -> bool {
    let Some(last) = path.rsplit(|byte| *byte == b'/').next() else { return false };
    let name = String::from_utf8_lossy(last).replace("~1", "/").replace("~0", "~");
    keeps_an_object(name.as_bytes())
}

/// Whether such a name is a key in a text, or the end of a path. A sentence may mention one.
pub(super) fn stands_in(text: &[u8]) -> bool {
    let is_in_names = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.".contains(byte);
    let slashes = text.iter().enumerate().filter_map(|(at, byte)| match byte {
        b'/' => Some((at, at + 1)),
        b'~' if text.get(at + 1) == Some(&b'1') => Some((at, at + 2)),
        _ => None,
    });
    slashes.into_iter().any(|(domain_end, name_start)| {
        let (before, behind) = (text.get(..domain_end), text.get(name_start..));
        let (Some(before), Some(behind)) = (before, behind) else { return false };
        let domain_start = before.iter().rposition(|byte| !is_in_names(byte)).map_or(0, |at| at + 1);
        let name_len = behind.iter().position(|byte| !is_in_names(byte)).unwrap_or(behind.len());
        let (name, rest) = behind.split_at(name_len);
        let is_path = name_start > domain_end + 1;
        let is_key = matches!(rest.iter().find(|byte| !b"\"'\\ ".contains(byte)), Some(b':' | b'='));
        let domain = before.get(domain_start..).unwrap_or_default();
        (is_path || is_key) && keeps_an_object(&[domain, b"/", name].concat())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn in_a_text_it_is_a_key_or_the_end_of_a_path() {
        for text in [
            "{\"objectset.rio.cattle.io/applied\":\"H4sI\"}",
            "{\\\"banzaicloud.com/last-applied\\\": 1}",
            "annotations:\n  kapp.k14s.io/original: x",
            "\"/metadata/annotations/kapp.k14s.io~1original\",\"value\"",
            "{\"banzaicloud.com/last-applied\"=>\"x\"}",
        ] {
            assert!(stands_in(text.as_bytes()), "{text}");
        }
        for text in [
            "resource cm/a is missing the kubectl.kubernetes.io/last-applied-configuration annotation which is required",
            "{\"f:kubectl.kubernetes.io/x\":{}}",
            "a/b: c",
            "/",
            "~1",
        ] {
            assert!(!stands_in(text.as_bytes()), "{text}");
        }
    }

    #[test]
    fn names_of_all_tools_are_known_and_no_others() {
        for name in [
            "kubectl.kubernetes.io/last-applied-configuration",
            "objectset.rio.cattle.io/applied",
            "kapp.k14s.io/original",
            "kapp.k14s.io/original-diff-full",
            "banzaicloud.com/last-applied",
            "example.com/last-applied-spec",
            "kopf.zalando.org/last-handled-configuration",
            "config.kubernetes.io/function",
            "internal.config.kubernetes.io/previousNames",
        ] {
            assert!(keeps_an_object(name.as_bytes()), "{name}");
            let path = format!("/metadata/annotations/{}", name.replace('/', "~1"));
            assert!(leads_to_one(path.as_bytes()), "{path}");
        }
        for name in [
            "f:kubectl.kubernetes.io/last-applied-configuration",
            "deployment.kubernetes.io/revision",
            "objectset.rio.cattle.io/id",
            "example.com/original",
            "kubernetes.io/config.kubernetes.io",
            "applied",
            "",
        ] {
            assert!(!keeps_an_object(name.as_bytes()), "{name}");
        }
        assert!(!leads_to_one(b"/metadata/annotations") && !leads_to_one(b""));
    }
}
