//! The remote endpoints by name, and the keys that configure each, for log lines.

/// A remote endpoint and its keys.
#[derive(Debug, Clone, Copy)]
pub struct Peer {
    /// The name within a sentence, such as `the gateway`.
    pub name: &'static str,
    /// The key of its URL, for advice about connections that fail.
    pub url_key: &'static str,
    /// The key of the file with its authorities, for advice about certificates.
    pub ca_key: &'static str,
    /// The key of the file with the token.
    pub token_key: &'static str,
    /// The keys of the client's certificate chain and private key, if it can have them.
    pub client_keys: Option<(&'static str, &'static str)>,
}

/// The event gateway.
pub const GATEWAY: Peer = Peer {
    name: "the gateway",
    url_key: "endpoint",
    ca_key: "ca_file",
    token_key: "bearer_token_file",
    client_keys: Some(("client_cert_file", "client_key_file")),
};

/// The Kubernetes API server.
pub const API_SERVER: Peer = Peer {
    name: "the API server",
    url_key: "kube_url",
    ca_key: "kube_ca_file",
    token_key: "kube_token_file",
    client_keys: None,
};
