//! Instances with equal settings share one cluster: the API server is asked once, and memory is used once.
//!
//! This is the one thing that instances know of each other. It holds nothing alive: the last handle that is
//! dropped stops the threads. At a hot reload the host ends the old instances before it begins the new ones,
//! so a new one starts anew, as it must: its settings may have changed.

use std::sync::{Arc, Mutex, PoisonError, Weak};

use super::handle::Cluster;
use super::timing::Timing;
use crate::config::{ConfigError, TopologySettings};

static RUNNING: Mutex<Vec<(TopologySettings, Weak<Cluster>)>> = Mutex::new(Vec::new());

/// The cluster of these settings, started if there is none. The memory file is no reason for another one:
/// that of the first instance that has one is kept.
///
/// # Errors
/// As [`Cluster::start`].
pub fn shared(settings: &TopologySettings, on_start: fn()) -> Result<Arc<Cluster>, Vec<ConfigError>> {
    let mut running = RUNNING.lock().unwrap_or_else(PoisonError::into_inner);
    running.retain(|(_, cluster)| cluster.strong_count() > 0);
    let key = TopologySettings { snapshot_file: None, ..settings.clone() };
    let found = running.iter().filter(|(known, _)| *known == key);
    if let Some(cluster) = found.filter_map(|(_, cluster)| cluster.upgrade()).next() {
        if let Some(file) = &settings.snapshot_file {
            // Without it only the past is missing.
            let _ = cluster.remember(file, on_start);
        }
        return Ok(cluster);
    }
    let cluster = Arc::new(Cluster::start(settings, &Timing::default(), on_start)?);
    running.push((key, Arc::downgrade(&cluster)));
    Ok(cluster)
}
