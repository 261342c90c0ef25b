//! Under which label a Service's selector is found.
//!
//! A pod carries about five labels, a namespace holds up to thousands of Services. Each selector stands
//! under one of its labels, the one with the fewest others at that time: so that one label which all
//! selectors of a chart share does not turn the look-up into a search.

use std::sync::Arc;

use super::endpoints::Service;
use super::key::Key;
use super::table::Table;

/// Takes a Service from where it stood and puts it where it belongs.
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

/// Where a Service may stand: under any label of its selector, in its namespace.
fn places(service: Option<&Service>) -> impl Iterator<Item = Key> {
    let labels = service.and_then(|service| Some((Key::of(&service.namespace), service.selector()?)));
    labels
        .into_iter()
        .flat_map(|(namespace, labels)| labels.iter().map(move |label| namespace.with(label.key)))
}
