//! On real Fluent Bits, those that FLUENT_BIT names or PATH holds; without one there is nothing to ask.
//! Each file here asks one question.

mod alertmanager;
mod audit;
mod cluster;
mod delivery;
mod filter;
mod gateway_faults;
mod hanging_gateway;
mod headers;
mod late_cluster;
mod metrics;
mod mutual_tls;
mod pulse;
mod receivers;
mod reconcile;
mod reload;
mod sample_configs;
mod sample_filters;
mod sources;
mod start;
mod stop;
mod strange;
mod waiting;

use testkit as support;
use testkit::{hostile, late_replay, page, real};
