//! Who has which name and address on the stage.

/// The gateway's host name, which only the mini host knows.
pub const NAME: &str = "gateway.test";
/// Addresses of loopback without the gateway: there nobody listens, nobody answers, and somebody else answers.
pub const NOBODY: &str = "127.0.0.2";
pub const BLACK_HOLE: &str = "127.0.0.3";
pub const STRANGER: &str = "127.0.0.4";
