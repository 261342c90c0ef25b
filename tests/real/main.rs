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
#[path = "../support/hostile/mod.rs"]
mod hostile;
mod late_cluster;
#[path = "../support/late_replay.rs"]
mod late_replay;
mod metrics;
mod mutual_tls;
#[path = "../support/page.rs"]
mod page;
mod pulse;
#[path = "../support/real.rs"]
mod real;
mod receivers;
mod reload;
mod sample_configs;
mod sample_filters;
mod sources;
mod start;
mod stop;
mod strange;
#[path = "../support/mod.rs"]
mod support;
mod waiting;
