//! The parts that the HTTP clients of the gateway and of the Kubernetes API share.
//!
//! - `peer`: the remote endpoint's name, and the keys that configure it
//! - `agent`: the HTTP client and its limits
//! - `unix_socket`, `over_unix`: a Unix socket, and HTTP over one
//! - `early`: reads a final response that arrives before the body is sent
//! - `leftover`: does not reuse a connection that holds unexpected bytes
//! - `credentials`, `tls`, `watched`: secrets and certificates from files that change
//! - `stop`, `resolver`: interrupt requests and name look-ups, so that the host's exit does not wait
//! - `failure`: why a request got no response, for the log and the metrics
//! - `proxy`: hides the password in a proxy's URL

pub mod agent;
pub mod credentials;
pub mod early;
pub mod failure;
pub mod leftover;
pub mod over_unix;
pub mod peer;
pub mod proxy;
pub mod resolver;
pub mod stop;
pub mod tls;
pub mod unix_socket;
pub mod watched;
