//! What the HTTP clients of the gateway and of the Kubernetes API share.
//!
//! - `peer`: what the remote endpoint is called, and which keys a person looks at when it is the trouble
//! - `agent`: the HTTP client and its limits
//! - `unix_socket`, `over_unix`: a Unix socket, and HTTP over one
//! - `early`: an answer that came before it was waited for is read
//! - `leftover`: no connection is used again with an answer on it that nobody asked for
//! - `credentials`, `tls`, `watched`: secrets and certificates from files that change
//! - `stop`, `resolver`: nothing here makes the host wait for its exit
//! - `failure`: what a log line says when no response came
//! - `proxy`: what of a proxy's URL is secret

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
