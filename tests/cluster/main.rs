//! How a cluster is followed and what is known of it.
//! Each file here asks one question.

#[path = "../support/cases.rs"]
mod cases;
mod generated_clusters;
mod impact_recording;
mod impact_rules;
mod kube_api_faults;
mod kube_api_lateness;
mod kube_api_rules;
#[path = "../support/mod.rs"]
mod support;
#[path = "../support/swarm.rs"]
mod swarm;
mod tenants;
mod topology_edges;
mod topology_time;
#[path = "../support/watch_script.rs"]
mod watch_script;
mod watching;
mod watching_nonsense;
mod watching_recovery;
mod watching_storms;
