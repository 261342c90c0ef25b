//! What the tests share: the mini host, a gateway, chunks as Fluent Bit makes them, a real Fluent Bit.
#![allow(dead_code, reason = "each test file uses its own part")]

pub mod chunk;
pub mod fluent_bit;
pub mod gateway;
pub mod host;
pub mod kube_api;
