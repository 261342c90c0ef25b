//! How a cluster is followed and what is known of it.
//! Each file here asks one question.

mod generated_clusters;
mod impact_recording;
mod impact_rules;
mod kube_api_events;
mod kube_api_faults;
mod kube_api_lateness;
mod kube_api_leases;
mod kube_api_past;
mod kube_api_request_faults;
mod kube_api_rules;
mod tenants;
mod topology_edges;
mod topology_time;
mod watching;
mod watching_nonsense;
mod watching_recovery;
mod watching_storms;

use testkit as support;
use testkit::{cases, swarm, watch_script};
