//! Lets instances with equal settings share one cluster, to save requests and memory.
//!
//! This is the only state that instances share. It keeps nothing alive: dropping the last handle stops the
//! threads. At a hot reload the host stops the old instances before it starts the new ones, so a new cluster
//! starts, possibly with other settings.

use std::sync::{Arc, Mutex, PoisonError, Weak};

use super::handle::Cluster;
use super::timing::Timing;
use crate::config::{ConfigError, TopologySettings};

static RUNNING: Mutex<Vec<(TopologySettings, Weak<Cluster>)>> = Mutex::new(Vec::new());

/// Returns the cluster for these settings and starts it if needed. Settings that differ only in the snapshot
/// file share a cluster, which keeps the first instance's file.
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
            // If this fails, only deleted objects of earlier runs are missing.
            let _ = cluster.remember(file, on_start);
        }
        return Ok(cluster);
    }
    let cluster = Arc::new(Cluster::start(settings, &Timing::default(), on_start)?);
    running.push((key, Arc::downgrade(&cluster)));
    Ok(cluster)
}
