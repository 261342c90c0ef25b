//! Lists: which state a request may see, and its pages. All pages of a list show the moment of the first one,
//! whatever changes meanwhile, and a page can be asked for again.

use std::collections::VecDeque;
use std::sync::Arc;

use super::asked::Scope;
use super::object::Object;
use super::replica_state::View;
use super::request::Request;
use super::resource::Resource;
use super::status::Refusal;
use super::store::Store;

/// How many lists that are being read in pages keep their rest; that of older ones has expired.
const KEPT_LISTS: usize = 32;

/// The number of a list in a token that has lost its list: "the rest as it is now".
const INCONSISTENT: u64 = 0;

/// One resource at one moment, with the places of the objects.
pub(super) struct Snapshot {
    pub(super) version: u64,
    pub(super) objects: Vec<(u64, Arc<Object>)>,
}

pub(super) struct Page {
    pub(super) snapshot: Arc<Snapshot>,
    /// Which of its objects are on this page.
    pub(super) range: std::ops::Range<usize>,
    pub(super) next_token: Option<String>,
}

#[derive(Default)]
pub(super) struct Pages {
    last_number: u64,
    lists: VecDeque<(u64, Arc<Snapshot>)>,
    /// The watch cache as it stood when a test froze it, by resource.
    cache: Option<Vec<Arc<Snapshot>>>,
    pub(super) limit_ignored_by_cache: bool,
}

impl Pages {
    pub(super) fn expire(&mut self) {
        self.lists.clear();
    }

    pub(super) fn freeze_cache(&mut self, store: &Store) {
        self.cache = Some(Resource::all().map(|resource| now(store, resource, &Scope::default())).collect());
    }

    pub(super) fn thaw_cache(&mut self) {
        self.cache = None;
    }

    /// What the watch cache holds that shows this moment, unless it is frozen. Without a cache etcd answers.
    pub(super) fn cached(&self, store: &Store, view: View, scope: &Scope) -> Arc<Snapshot> {
        match &self.cache {
            _ if !view.resource.has_watch_cache() => present(store, view, scope),
            None => at_moment(store, view, scope),
            Some(cache) => {
                let Snapshot { version, objects } = &*cache[view.resource.0];
                let wanted = objects.iter().filter(|(_, object)| object.is_in(scope));
                Arc::new(Snapshot { version: *version, objects: wanted.cloned().collect() })
            }
        }
    }

    pub(super) fn page(
        &mut self,
        store: &Store,
        view: View,
        scope: &Scope,
        request: &Request,
    ) -> Result<Page, Refusal> {
        let version = request.parameter("resourceVersion");
        let limit = request.parameter("limit").and_then(|text| text.parse::<usize>().ok());
        let mut limit = limit.filter(|limit| *limit > 0);
        let (number, snapshot, start) = match request.parameter("continue") {
            Some(token) => {
                if version.is_some_and(|version| version != "0") {
                    let message = "specifying resource version is not allowed when using continue";
                    return Err(Refusal::bad_request(message));
                }
                self.rest(store, view, scope, &token)?
            }
            None => {
                let from_cache = version.as_deref() == Some("0") && view.resource.has_watch_cache();
                if from_cache && self.limit_ignored_by_cache {
                    limit = None;
                }
                let snapshot = self.first(store, view, scope, request, version, limit.is_some())?;
                (None, snapshot, 0)
            }
        };
        let end = snapshot.objects.len().min(start.saturating_add(limit.unwrap_or(usize::MAX)));
        let next_token = snapshot.objects.get(end).map(|(place, _)| {
            let number = number.unwrap_or_else(|| self.keep(&snapshot));
            token(number, *place)
        });
        Ok(Page { snapshot, range: start..end, next_token })
    }

    /// The state that a list without `continue` shows, by the table "resourceVersion for get and list" of the
    /// API concepts.
    fn first(
        &self,
        store: &Store,
        view: View,
        scope: &Scope,
        request: &Request,
        version: Option<String>,
        limited: bool,
    ) -> Result<Arc<Snapshot>, Refusal> {
        let Some(version) = version else { return Ok(present(store, view, scope)) };
        let Ok(version) = version.parse::<u64>() else {
            return Err(Refusal::bad_request("Invalid value for resourceVersion: no number"));
        };
        let exact = match request.parameter("resourceVersionMatch").as_deref() {
            Some("Exact") if version == 0 => {
                return Err(Refusal::invalid(
                    "resourceVersionMatch \"Exact\" is forbidden for resourceVersion \"0\"",
                ));
            }
            Some("Exact") => true,
            Some(_) => false,
            None => limited && version != 0, // for clients from before there was a choice
        };
        let snapshot = match exact {
            true => present(store, view, scope),
            false => self.cached(store, view, scope),
        };
        if version > snapshot.version {
            return Err(Refusal::version_too_large(version, snapshot.version));
        }
        // Older states are not kept here: all of them count as compacted.
        if exact && version < snapshot.version {
            return Err(Refusal::too_old_to_list());
        }
        Ok(snapshot)
    }

    /// What a token leads to: the number of its list, the list, and where to go on.
    fn rest(
        &self,
        store: &Store,
        view: View,
        scope: &Scope,
        token: &str,
    ) -> Result<(Option<u64>, Arc<Snapshot>, usize), Refusal> {
        let parsed = token.split_once('p').and_then(|(number, place)| {
            Some((number.strip_prefix('l')?.parse::<u64>().ok()?, place.parse::<u64>().ok()?))
        });
        let Some((number, place)) = parsed else {
            return Err(Refusal::bad_request("continue key is not valid"));
        };
        let start = |snapshot: &Snapshot| snapshot.objects.partition_point(|(known, _)| *known < place);
        if number == INCONSISTENT {
            let snapshot = present(store, view, scope);
            let start = start(&snapshot);
            return Ok((None, snapshot, start));
        }
        match self.lists.iter().find(|(known, _)| *known == number) {
            Some((_, snapshot)) => Ok((Some(number), Arc::clone(snapshot), start(snapshot))),
            None => Err(Refusal::page_expired(&self::token(INCONSISTENT, place))),
        }
    }

    fn keep(&mut self, snapshot: &Arc<Snapshot>) -> u64 {
        self.last_number += 1;
        self.lists.push_back((self.last_number, Arc::clone(snapshot)));
        if self.lists.len() > KEPT_LISTS {
            self.lists.pop_front();
        }
        self.last_number
    }
}

/// Letters and digits only, like the real ones: some clients put a token into their URL unescaped.
fn token(number: u64, place: u64) -> String {
    format!("l{number}p{place}")
}

/// What a consistent read shows.
fn present(store: &Store, view: View, scope: &Scope) -> Arc<Snapshot> {
    if view.is_stale { at_moment(store, view, scope) } else { now(store, view.resource, scope) }
}

fn at_moment(store: &Store, view: View, scope: &Scope) -> Arc<Snapshot> {
    let objects = store.of(view.resource).objects_at(view.moment).into_iter();
    let objects = objects.filter(|(_, object)| object.is_in(scope)).collect();
    Arc::new(Snapshot { version: store.version_at(view.moment), objects })
}

fn now(store: &Store, resource: Resource, scope: &Scope) -> Arc<Snapshot> {
    let objects = store.of(resource).objects.iter().filter(|(_, object)| object.is_in(scope));
    let objects = objects.map(|(place, object)| (*place, Arc::clone(object))).collect();
    Arc::new(Snapshot { version: store.version, objects })
}
