//! Kubernetes events that arrive once, are never lost, and say which Service is hurt.
pub mod clock;
pub mod config;
pub mod journal;
pub mod metrics;
pub mod pattern;
