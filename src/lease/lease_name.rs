//! [`LeaseName`]: which Lease of the cluster.

use std::fmt;

/// The namespace and the name of a Lease.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeaseName {
    namespace: String,
    name: String,
}

impl LeaseName {
    /// `None` if an object cannot be named so: RFC 1123 subdomains, which need no escapes in a URL.
    #[must_use]
    pub fn new(namespace: &str, name: &str) -> Option<Self> {
        let is_inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
        let is_label = |label: &str| {
            label.starts_with(is_inner)
                && label.ends_with(is_inner)
                && label.chars().all(|c| is_inner(c) || c == '-')
        };
        let is_name = |text: &str| text.len() <= 253 && text.split('.').all(is_label);
        let is_right = is_label(namespace) && namespace.len() <= 63 && is_name(name);
        is_right.then(|| Self { namespace: namespace.to_owned(), name: name.to_owned() })
    }

    pub(super) fn namespace(&self) -> &str {
        &self.namespace
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// The path of all Leases of the namespace.
    pub(super) fn collection(&self) -> String {
        format!("/apis/coordination.k8s.io/v1/namespaces/{}/leases", self.namespace)
    }
}

impl fmt::Display for LeaseName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_that_kubernetes_takes_are_taken() {
        for (namespace, name, is_right) in [
            ("logging", "event-gateway.shop", true),
            ("a", "0", true),
            ("log.ging", "a", false),
            ("logging", "a/b", false),
            ("logging", "a..b", false),
            ("", "a", false),
            ("logging", "", false),
            ("logging", "-a", false),
            ("logging", "A", false),
            ("logging", "a?watch=1", false),
        ] {
            assert_eq!(LeaseName::new(namespace, name).is_some(), is_right, "{namespace}/{name}");
        }
    }
}
