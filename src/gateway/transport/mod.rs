//! How a batch is sent, by the scheme of `endpoint`.
//!
//! - `interface`: the trait [`Transport`]
//! - `open`: selects the transport
//! - `http`: one request and its response, over TCP or a Unix socket
//! - `unix`: lines into a Unix socket, accepted once they are written
//! - `file`: lines into the files of a folder, accepted once they are on the disk
//! - `tries`: the quick tries of one batch
//!
//! A new transport is a file of its own, a [`Scheme`](crate::config::Scheme) and a line in `open`.

mod file;
mod http;
mod interface;
mod open;
mod tries;
mod unix;

pub use interface::{Packed, Post, Transport};
pub use open::{fits, open};
