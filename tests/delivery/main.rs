//! From a chunk to an acknowledgement: in the mini host, over each transport, with each fault and each kill.

mod delivering;
mod gateway;
mod gateway_faults;
mod kill9;
#[path = "../interpose/syscalls.rs"]
mod syscalls;
mod transports;
