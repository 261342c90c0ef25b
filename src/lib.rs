//! Kubernetes events that arrive once, are never lost, and say which Service is hurt.
pub mod abi;
pub mod admit;
pub mod clock;
pub mod config;
pub mod courier;
pub mod delivery;
pub mod gateway;
pub mod job;
pub mod journal;
pub mod ledger;
pub mod metrics;
pub mod pattern;
pub mod pipeline;
pub mod record;
pub mod render;
pub mod time;
pub mod trip;
