//! The end of a list, and what its version proves.
//!
//! As long as etcd keeps its data, versions only rise. An API server that lags behind may return an earlier
//! version from its cache. Only a consistent read below a version that was seen proves that the data itself
//! is older, as after a restore from a backup. Versions are opaque (client-go compares them as numbers since
//! Kubernetes 1.35, KEP-5504): a version that is not a number proves nothing.

use std::time::Instant;

use super::request::Page;
use super::{Goal, LossReason, ObjectChange, Restored, Watch};
use crate::topology::list_scanner::{ListError, ListMeta, ListScanner};

impl Watch {
    pub(super) fn list_ended(&mut self, scanner: ListScanner, cut: Option<&str>, now: Instant, chance: u64) {
        let refused = scanner.refused();
        let why = match (scanner.finish(), cut) {
            // A complete body is good, however the connection ended.
            (Ok(meta), _) => {
                self.output.skipped += refused;
                let last = match &self.goal {
                    Goal::List(Page::Next { token }) => Some(token.clone()),
                    _ => None,
                };
                match (meta.token.filter(|token| !token.is_empty()), meta.resource_version) {
                    (Some(token), _) if Some(&token) != last.as_ref() => {
                        self.of_earlier_pages = self.objects.len();
                        self.goal = Goal::List(Page::Next { token });
                        return;
                    }
                    (None, Some(version)) if !version.is_empty() => return self.list_complete(version),
                    (None, _) => "the list has no resourceVersion".to_owned(),
                    (Some(_), _) => {
                        // The continue token leads to the same page.
                        self.begin_list(Page::Whole);
                        "a page of the list leads to itself".to_owned()
                    }
                }
            }
            (Err(_), Some(cut)) => {
                // The server responds but fails on this list, so the next try waits, each time longer.
                self.objects.truncate(self.of_earlier_pages);
                return self.back_off(LossReason::Unreachable, cut.to_owned(), now, chance);
            }
            (Err(broken), None) => not_json(broken),
        };
        self.objects.truncate(self.of_earlier_pages);
        self.back_off(LossReason::Unreadable, why, now, chance);
    }

    pub(super) fn probe_ended(&mut self, scanner: ListScanner, cut: Option<&str>, now: Instant, chance: u64) {
        match (scanner.finish(), cut) {
            (Ok(ListMeta { resource_version: Some(found), .. }), _) if !found.is_empty() => {
                if is_older(&found, &self.version) {
                    self.restored(found);
                    self.begin_list(Page::FirstOfNewest);
                } else {
                    self.goal = Goal::Watch;
                }
            }
            (Err(_), Some(cut)) => self.back_off(LossReason::Unreachable, cut.to_owned(), now, chance),
            (Ok(_), _) => self.back_off(
                LossReason::Unreadable,
                "the list has no resourceVersion".to_owned(),
                now,
                chance,
            ),
            (Err(broken), None) => self.back_off(LossReason::Unreadable, not_json(broken), now, chance),
        }
    }

    fn list_complete(&mut self, version: String) {
        if is_older(&version, &self.version) {
            if !self.consistent {
                // The API server lags behind; its cache would undo changes that were seen.
                return self.begin_list(Page::FirstOfNewest);
            }
            self.restored(version.clone());
        }
        self.version = version;
        self.of_earlier_pages = 0;
        self.was_listed = true;
        self.output.changes.push(ObjectChange::Listed(std::mem::take(&mut self.objects)));
        self.goal = Goal::Watch;
        self.given_up = false;
        self.too_new = 0;
    }

    fn restored(&mut self, found: String) {
        let known = std::mem::take(&mut self.version);
        self.output.restored = Some(Restored { known, found });
    }

    /// The first page of a list that may come from the API server's cache.
    pub(super) fn page_from_cache(&self) -> Page {
        match self.version.parse::<u64>() {
            Ok(_) => Page::FirstNotOlderThan(self.version.clone()),
            Err(_) => Page::FirstFromCache,
        }
    }
}

fn not_json(broken: ListError) -> String {
    format!("the list is not JSON from byte {} on", broken.offset)
}

fn is_older(found: &str, known: &str) -> bool {
    matches!((found.parse::<u64>(), known.parse::<u64>()), (Ok(found), Ok(known)) if found < known)
}
