//! What the remote endpoint is called, and which keys a person looks at when it is the trouble.

/// A remote endpoint, in the words of the settings.
#[derive(Debug, Clone, Copy)]
pub struct Peer {
    /// `the gateway`, for a sentence.
    pub name: &'static str,
    pub url_key: &'static str,
    pub ca_key: &'static str,
    pub token_key: &'static str,
    /// Chain and private key, where a certificate can be shown.
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
