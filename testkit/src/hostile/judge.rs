//! What may have come of a trial, and what may not.

use std::collections::{BTreeMap, BTreeSet};

/// What the plugin is set to promise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Guarantee {
    /// Everything arrives. What arrived without the plugin's knowledge may arrive again.
    NoEventLoss,
    /// Nothing arrives twice. What may have arrived lies in the dead letter file, with this reason.
    NoDuplicates { ambiguous: &'static str },
}

/// A request as the gateway saw it.
#[derive(Clone, Debug, Default)]
pub struct Sent {
    /// In the order in which requests began.
    pub number: usize,
    pub connection: usize,
    pub key: String,
    pub ids: Vec<String>,
    /// The count and the new occurrences of each, where the format has both.
    pub counts: Vec<(u64, u64)>,
    /// The gateway has the records.
    pub taken: bool,
    /// The answer was a plain acknowledgement, with nothing wrong about it.
    pub acknowledged: bool,
}

/// A line of the dead letter file.
#[derive(Clone, Debug, Default)]
pub struct Letter {
    pub id: String,
    pub reason: String,
    /// What the gateway said, or what kept it from saying anything.
    pub answer: String,
}

/// What the plugin says of a request that its own end has cut.
const STOPPING: &str = "the plugin is stopping";

/// All that is known at the end.
#[derive(Clone, Debug, Default)]
pub struct Account {
    /// Every id that the source brought.
    pub wanted: BTreeSet<String>,
    /// Those of them that the gateway never takes.
    pub doomed: BTreeSet<String>,
    /// In the order in which they arrived.
    pub sent: Vec<Sent>,
    pub letters: Vec<Letter>,
    /// How many records the plugin counted as delivered in each life that it ended in good order.
    pub delivered: Vec<usize>,
    /// Lives that were ended by kill -9.
    pub kills: usize,
    /// It was played that only the gateway knew whether it had taken the records, or time was short.
    pub in_doubt: bool,
}

/// Everything that should not have happened.
pub fn judge(account: &Account, guarantee: Guarantee) -> Vec<String> {
    let mut wrong = Vec::new();
    nothing_lost(account, guarantee, &mut wrong);
    letters_only_of_the_doomed(account, guarantee, &mut wrong);
    match guarantee {
        Guarantee::NoEventLoss => nothing_again_that_is_known_to_be_there(account, &mut wrong),
        Guarantee::NoDuplicates { .. } => {
            nothing_twice(account, &mut wrong);
            no_occurrence_twice(account, &mut wrong);
        }
    }
    one_key_for_one_batch(account, &mut wrong);
    wrong
}

/// The requests in which each id was taken.
fn taken(account: &Account) -> BTreeMap<&str, Vec<&Sent>> {
    let mut taken: BTreeMap<&str, Vec<&Sent>> = BTreeMap::new();
    for sent in account.sent.iter().filter(|sent| sent.taken) {
        for id in &sent.ids {
            taken.entry(id).or_default().push(sent);
        }
    }
    taken
}

fn nothing_lost(account: &Account, guarantee: Guarantee, wrong: &mut Vec<String>) {
    let taken = taken(account);
    for id in &account.wanted {
        let reasons: Vec<_> =
            account.letters.iter().filter(|letter| letter.id == *id).map(|letter| &*letter.reason).collect();
        let dead_letter = match guarantee {
            _ if account.doomed.contains(id) => !reasons.is_empty(),
            Guarantee::NoEventLoss => false,
            Guarantee::NoDuplicates { ambiguous } => reasons.contains(&ambiguous),
        };
        if !taken.contains_key(id.as_str()) && !dead_letter {
            wrong.push(format!("{id} is lost: never taken, and not in the dead letter file"));
        }
    }
    for id in taken.keys().filter(|id| !account.wanted.contains(**id)) {
        wrong.push(format!("{id} came, and nobody had sent it"));
    }
}

fn letters_only_of_the_doomed(account: &Account, guarantee: Guarantee, wrong: &mut Vec<String>) {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for Letter { id, reason, answer } in &account.letters {
        let in_doubt = match guarantee {
            Guarantee::NoEventLoss => false,
            Guarantee::NoDuplicates { ambiguous } => {
                // A stop cuts the request on its way short, where a starved machine keeps it from its end.
                let was_cut = answer.contains(STOPPING);
                reason == ambiguous && (account.in_doubt || account.kills > 0 || was_cut)
            }
        };
        if !account.doomed.contains(id) && !in_doubt {
            wrong.push(format!(
                "{id} lies in the dead letter file ({reason}), and the gateway would take it; it says: {answer}"
            ));
        }
        *counts.entry(id).or_default() += 1;
    }
    // A letter is written before the ledger knows of it: a kill may come between.
    for (id, count) in counts.into_iter().filter(|(_, count)| *count > 1 + account.kills) {
        wrong.push(format!("{id} lies in the dead letter file {count} times, after {} kills", account.kills));
    }
}

/// With `no_event_loss` an id may come again only while the plugin has no acknowledgement of it.
fn nothing_again_that_is_known_to_be_there(account: &Account, wrong: &mut Vec<String>) {
    // A client uses a connection again only when it has read the answer to its end.
    let last_of = account.sent.iter().fold(BTreeMap::new(), |mut last: BTreeMap<usize, usize>, sent| {
        let number = last.entry(sent.connection).or_default();
        *number = sent.number.max(*number);
        last
    });
    let is_known = |sent: &Sent| sent.acknowledged && last_of[&sent.connection] > sent.number;
    let taken = taken(account);
    for sent in account.sent.iter().filter(|sent| is_known(sent)) {
        for id in &sent.ids {
            // A request that the plugin had given up may be read late, but came on an older connection.
            let follows = |later: &&Sent| later.number > sent.number && later.connection >= sent.connection;
            let again = account.sent.iter().filter(follows).find(|later| later.ids.contains(id));
            if let Some(again) = again {
                let (first, number) = (sent.number, again.number);
                wrong.push(format!(
                    "{id} was sent again in request {number}: the plugin had read the \
                     acknowledgement of request {first}, as it used connection {} again",
                    sent.connection
                ));
            }
        }
    }
    // An acknowledgement that was received is counted, and so each id once at the most.
    let delivered: usize = account.delivered.iter().sum();
    let enough = if account.kills == 0 { delivered >= taken.len() } else { true };
    if delivered > taken.len() || !enough {
        wrong.push(format!(
            "the plugin counted {delivered} records as delivered ({:?} in its lives, {} kills), and {} different \
             ones were taken",
            account.delivered,
            account.kills,
            taken.len()
        ));
    }
}

fn nothing_twice(account: &Account, wrong: &mut Vec<String>) {
    for (id, times) in taken(account).iter().filter(|(_, times)| times.len() > 1) {
        let numbers: Vec<_> = times.iter().map(|sent| sent.number).collect();
        wrong.push(format!("{id} was taken {} times, in the requests {numbers:?}", times.len()));
    }
}

/// A record reports the occurrences from `count - new_occurrences + 1` to `count` of its event. No two records report
/// the same one, and what none reports ends with a record that lies in the dead letter file in place of it.
fn no_occurrence_twice(account: &Account, wrong: &mut Vec<String>) {
    let mut reported: BTreeMap<&str, Vec<(u64, u64, &str)>> = BTreeMap::new();
    for sent in account.sent.iter().filter(|sent| sent.taken) {
        for (id, (count, new)) in sent.ids.iter().zip(&sent.counts) {
            let event = id.rsplit_once('.').map_or(id.as_str(), |(event, _)| event);
            if *new > 0 {
                reported.entry(event).or_default().push((count.saturating_sub(*new), *count, id));
            }
        }
    }
    // The count of an event is its version, see `load`.
    let version = |id: &str| id.rsplit_once('.').and_then(|(_, version)| version.parse::<u64>().ok());
    for (event, mut records) in reported {
        records.sort_unstable();
        let mut last = 0;
        for (before, count, id) in records {
            if before < last {
                wrong.push(format!(
                    "{id} reports occurrences after {before} of {event}, of which {last} were reported"
                ));
            }
            let is_away = |letter: &Letter| {
                letter.id.starts_with(&format!("{event}.")) && version(&letter.id) == Some(before)
            };
            if before > last && !account.letters.iter().any(is_away) {
                wrong.push(format!(
                    "{id} reports occurrences after {before} of {event}, and {last} were reported"
                ));
            }
            last = last.max(count);
        }
    }
}

/// Equal batches have equal keys, and different ones different keys.
fn one_key_for_one_batch(account: &Account, wrong: &mut Vec<String>) {
    let (mut keys, mut batches) = (BTreeMap::new(), BTreeMap::new());
    for sent in account.sent.iter().filter(|sent| !sent.ids.is_empty()) {
        let key = *keys.entry(&sent.ids).or_insert(&sent.key);
        let batch = *batches.entry(&sent.key).or_insert(&sent.ids);
        if *key != sent.key || *batch != sent.ids {
            wrong.push(format!("request {} has the key {} for {:?}", sent.number, sent.key, sent.ids));
        }
    }
}
