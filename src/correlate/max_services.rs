//! Which Services are named when there are more than `max_services`.
//!
//! Within one namespace, the first ones are named. An event about a node or another cluster-scoped object can
//! affect Services of many namespaces; then each namespace gets an equal share. So a tenant who creates many
//! Services does not displace those of others.

use foldhash::{HashMap, HashMapExt};

use super::heapsort::sort_by_key;
use super::impact::Affected;

/// Keeps at most `most` Services, in their order.
pub(super) fn limit(services: &mut Vec<Affected<'_>>, most: usize) {
    if services.len() <= most {
        return;
    }
    // The place of each Service among those of its namespace.
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
