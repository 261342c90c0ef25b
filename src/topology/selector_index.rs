//! Files each Service under one label of its selector.
//!
//! A pod has about five labels; a namespace has up to thousands of Services. Each Service is filed under the
//! label of its selector that has the fewest Services at that time. So a label that all selectors of a chart
//! share does not turn the look-up into a full search.

use std::sync::Arc;

use super::endpoints::Service;
use super::key::Key;
use super::table::Table;

/// Replaces the entry of a Service.
pub(super) fn exchange(
    selectors: &mut Table<Arc<[Key]>>,
    service: Key,
    old: Option<&Service>,
    new: Option<&Service>,
) {
    if places(old).eq(places(new)) {
        return;
    }
    for place in places(old) {
        let Some(there) = selectors.get(&place).filter(|there| there.contains(&service)) else { continue };
        let rest: Arc<[Key]> = there.iter().copied().filter(|key| *key != service).collect();
        if rest.is_empty() {
            selectors.remove(&place);
        } else {
            selectors.insert(place, rest);
        }
    }
    let crowd = |place: &Key| selectors.get(place).map_or(0, |there| there.len());
    if let Some(place) = places(new).min_by_key(crowd) {
        let there = selectors.get(&place).map_or(&[][..], |there| &**there);
        let with = there.iter().copied().chain([service]).collect();
        selectors.insert(place, with);
    }
}

/// The places where a Service can be filed: one for each label of its selector, in its namespace.
fn places(service: Option<&Service>) -> impl Iterator<Item = Key> {
    let labels = service.and_then(|service| Some((Key::of(&service.namespace), service.selector()?)));
    labels
        .into_iter()
        .flat_map(|(namespace, labels)| labels.iter().map(move |label| namespace.with(label.key)))
}
