//! The account at the end of an epoch: what came, how often, and under which keys.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::ops::AddAssign;
use std::path::Path;

use serde_json::Value;

use super::BATCH_EVENTS;
use super::support::gateway::Request;
use super::taker::{Taker, life_of};

/// What many kills have cost.
#[derive(Debug, Default, Clone, Copy)]
pub struct Account {
    pub kills: usize,
    pub records: usize,
    pub requests: usize,
    /// Records that came again, all from the batch in flight at a kill.
    pub repeated: usize,
    /// Kills that made a batch come again.
    pub repeating_kills: usize,
    /// Records that were dead-lettered because the gateway might have had them.
    pub ambiguous: usize,
}

impl AddAssign for Account {
    fn add_assign(&mut self, more: Account) {
        self.kills += more.kills;
        self.records += more.records;
        self.requests += more.requests;
        self.repeated += more.repeated;
        self.repeating_kills += more.repeating_kills;
        self.ambiguous += more.ambiguous;
    }
}

/// A request that was accepted.
#[derive(Clone, Copy, PartialEq)]
struct Seen<'a> {
    life: usize,
    is_last_of_its_life: bool,
    key: &'a str,
    ids: &'a [String],
}

impl Account {
    /// Every id came; what came again was the last request that its life got acknowledged, and came as the first of a
    /// later life, whole and under the same key.
    pub fn without_loss(taker: &Taker, wanted: &[String], kills: usize) -> Account {
        let requests = taker.gateway.requests();
        let deliveries = deliveries(&requests);
        assert_all_came(wanted, &deliveries.keys().copied().collect());
        let mut account =
            Account { kills, records: wanted.len(), requests: requests.len(), ..Account::default() };
        let mut repeating_lives = BTreeSet::new();
        for (id, times) in deliveries.iter().filter(|(_, times)| times.len() > 1) {
            account.repeated += 1;
            for pair in times.windows(2) {
                let (first, again) = (&pair[0], &pair[1]);
                let Seen { life, .. } = *first;
                assert!(life < again.life, "{id} came twice in life {life}, where nobody was killed");
                assert!(
                    first.is_last_of_its_life,
                    "{id} came in life {life} and again in {}, and was not in flight at the kill",
                    again.life
                );
                assert_eq!(
                    (first.key, first.ids),
                    (again.key, again.ids),
                    "{id} came again in other company, or under another key"
                );
                repeating_lives.insert(life);
            }
        }
        account.repeating_kills = repeating_lives.len();
        account
    }

    /// No id came twice, and what did not come lies among the dead letters, a batch for each kill at the most.
    pub fn without_repetition(taker: &Taker, wanted: &[String], kills: usize, letters: &Path) -> Account {
        let requests = taker.gateway.requests();
        let deliveries = deliveries(&requests);
        for (id, times) in &deliveries {
            assert_eq!(times.len(), 1, "{id} came {} times", times.len());
        }
        let letters = fs::read_to_string(letters).unwrap_or_default();
        let letters: Vec<Value> =
            letters.lines().map(|line| serde_json::from_str(line).expect("a letter")).collect();
        let mut known: BTreeSet<&str> = deliveries.keys().copied().collect();
        let mut dead_letter = BTreeSet::new();
        for letter in &letters {
            assert_eq!(letter["reason"], "ambiguous");
            let id = letter["id"].as_str().expect("an id");
            // A kill between the letter and the ledger's word of it has it written twice.
            dead_letter.insert(id);
            known.insert(id);
        }
        assert_all_came(wanted, &known);
        assert!(
            dead_letter.len() <= kills * BATCH_EVENTS,
            "{} dead-lettered after {kills} kills",
            dead_letter.len()
        );
        Account {
            kills,
            records: wanted.len(),
            requests: requests.len(),
            ambiguous: dead_letter.len(),
            ..Account::default()
        }
    }
}

fn deliveries(requests: &[std::sync::Arc<Request>]) -> BTreeMap<&str, Vec<Seen<'_>>> {
    let mut lives: BTreeMap<usize, Vec<&Request>> = BTreeMap::new();
    for request in requests.iter().filter(|request| request.accepted()) {
        lives.entry(life_of(request)).or_default().push(request);
    }
    let mut deliveries: BTreeMap<&str, Vec<Seen<'_>>> = BTreeMap::new();
    for (life, batches) in &lives {
        for (index, request) in batches.iter().enumerate() {
            let key = request.header("idempotency-key").expect("a key");
            let is_last_of_its_life = index + 1 == batches.len();
            let seen = Seen { life: *life, is_last_of_its_life, key, ids: request.ids() };
            for id in request.ids() {
                deliveries.entry(id).or_default().push(seen);
            }
        }
    }
    deliveries
}

fn assert_all_came(wanted: &[String], came: &BTreeSet<&str>) {
    let wanted: BTreeSet<&str> = wanted.iter().map(String::as_str).collect();
    let missing: Vec<_> = wanted.difference(came).take(20).collect();
    assert!(missing.is_empty(), "{} of {} ids came, without {missing:?} …", came.len(), wanted.len());
    let strange: Vec<_> = came.difference(&wanted).take(20).collect();
    assert!(strange.is_empty(), "ids came that nobody sent: {strange:?}");
}
