//! Which Services are named when there are more than `max_services`.
//!
//! Those of one namespace are named from the first on. An event about a node, or about another object of the cluster, can touch
//! Services of many namespaces: then each namespace has an equal part of the places, so that whoever creates many Services in
//! one does not displace those of the others.

use foldhash::{HashMap, HashMapExt};

use super::heapsort::sort_by_key;
use super::impact::Affected;

/// Leaves at most so many, in the order in which they are.
pub(super) fn limit(services: &mut Vec<Affected<'_>>, most: usize) {
    if services.len() <= most {
        return;
    }
    // How many of its own namespace stand before each.
    let mut before: HashMap<&str, usize> = HashMap::new();
    let mut ranked: Vec<(usize, usize)> = Vec::with_capacity(services.len());
    for (place, service) in services.iter().enumerate() {
        let number = before.entry(service.namespace).or_default();
        ranked.push((*number, place));
        *number += 1;
    }
    if before.len() > 1 {
        sort_by_key(&mut ranked, |rank| rank);
        ranked.truncate(most);
        sort_by_key(&mut ranked, |(_, place)| place);
        for (to, (_, from)) in ranked.into_iter().enumerate() {
            services.swap(to, from);
        }
    }
    services.truncate(most);
}
