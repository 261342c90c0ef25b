//! Annotations in which tools keep the object that was applied last, whole: of a Secret its data, of a Deployment the
//! environment of its containers. In some it is JSON, in some YAML, in some it is compressed.

/// Whether an annotation of this name holds such an object.
#[must_use]
pub fn keeps_an_object(name: &[u8]) -> bool {
    let Some(slash) = name.iter().rposition(|byte| *byte == b'/') else { return false };
    let (domain, name) = (name.get(..slash).unwrap_or_default(), name.get(slash + 1..).unwrap_or_default());
    // The key of managedFields says only that there is one.
    if domain.starts_with(b"f:") {
        return false;
    }
    let begins = |prefix: &[u8]| super::scan::begins(name, 0, prefix);
    // kubectl, kopf, operators built with banzaicloud's k8s-objectmatcher, and others after their model.
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

/// The same for the path of a JSON patch, in which a slash of a name is `~1`.
pub(super) fn leads_to_one(path: &[u8]) -> bool {
    let Some(last) = path.rsplit(|byte| *byte == b'/').next() else { return false };
    let name = String::from_utf8_lossy(last).replace("~1", "/").replace("~0", "~");
    keeps_an_object(name.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

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
