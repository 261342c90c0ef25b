//! Does the judge of the hostile gateway's trials see what is wrong, and nothing else?

use super::hostile::judge::{Account, Guarantee, Letter, Sent, judge};

const NO_DUPLICATES: Guarantee = Guarantee::NoDuplicates { ambiguous: "ambiguous" };

/// One request of one id on a connection, taken and acknowledged.
fn sent(number: usize, connection: usize, id: &str) -> Sent {
    let key = format!("key of {id}");
    Sent {
        number,
        connection,
        key,
        ids: vec![id.to_owned()],
        taken: true,
        acknowledged: true,
        ..Sent::default()
    }
}

/// `a` and `b` arrived one after the other on one connection, and `x` lies in the dead letter file.
fn good() -> Account {
    let ids = |ids: &[&str]| ids.iter().map(ToString::to_string).collect();
    Account {
        wanted: ids(&["a", "b", "x"]),
        doomed: ids(&["x"]),
        sent: vec![sent(1, 1, "a"), sent(2, 1, "b")],
        letters: vec![Letter { id: "x".into(), reason: "rejected".into(), ..Letter::default() }],
        delivered: vec![2],
        ..Account::default()
    }
}

/// What the judge says of the good account after this change.
fn after(change: impl FnOnce(&mut Account), guarantee: Guarantee) -> String {
    let mut account = good();
    change(&mut account);
    judge(&account, guarantee).join("; ")
}

fn both(change: impl Fn(&mut Account), complaint: &str) {
    for guarantee in [Guarantee::NoEventLoss, NO_DUPLICATES] {
        let said = after(&change, guarantee);
        assert!(said.contains(complaint), "{guarantee:?} says {said:?}, without {complaint:?}");
    }
}

fn letter(account: &mut Account, id: &str, reason: &str) {
    account.letters.push(Letter { id: id.to_owned(), reason: reason.to_owned(), ..Letter::default() });
}

#[test]
fn a_good_account_is_good() {
    for guarantee in [Guarantee::NoEventLoss, NO_DUPLICATES] {
        assert_eq!(after(|_| {}, guarantee), "");
    }
}

#[test]
fn what_never_arrived_is_lost() {
    both(|account| account.sent[1].taken = false, "b is lost");
    both(|account| account.letters.clear(), "x is lost");
    both(|account| account.wanted.retain(|id| id != "a"), "a came, and nobody had sent it");
}

#[test]
fn a_letter_is_for_what_the_gateway_never_takes() {
    both(|account| letter(account, "a", "rejected"), "a lies in the dead letter file");
    both(|account| letter(account, "x", "rejected"), "x lies in the dead letter file 2 times");
    let killed = |account: &mut Account| {
        letter(account, "x", "rejected");
        account.kills = 1;
    };
    assert_eq!(after(killed, Guarantee::NoEventLoss), "");
}

#[test]
fn what_is_known_to_be_there_is_not_sent_again() {
    let again_elsewhere = |account: &mut Account| account.sent.push(Sent { taken: false, ..sent(3, 2, "a") });
    assert!(after(again_elsewhere, Guarantee::NoEventLoss).contains("a was sent again in request 3"));
    let counted_twice = |account: &mut Account| account.delivered = vec![2, 1];
    assert!(after(counted_twice, Guarantee::NoEventLoss).contains("counted 3 records"));
    let not_counted = |account: &mut Account| account.delivered = vec![1];
    assert!(after(not_counted, Guarantee::NoEventLoss).contains("counted 1 records"));
}

#[test]
fn what_may_not_be_known_to_be_there_may_come_again() {
    // The last answer on a connection may have been lost.
    let lost = |account: &mut Account| account.sent.push(sent(3, 2, "b"));
    assert_eq!(after(lost, Guarantee::NoEventLoss), "");
    assert!(after(lost, NO_DUPLICATES).contains("b was taken 2 times, in the requests [2, 3]"));
    let refused = |account: &mut Account| {
        account.sent[0].acknowledged = false;
        account.sent.push(sent(3, 1, "a"));
    };
    assert_eq!(after(refused, Guarantee::NoEventLoss), "");
    // A request that was given up and is read late is no repetition.
    let late = |account: &mut Account| {
        account.sent[0].connection = 2;
        account.sent[1].connection = 2;
        account.sent.push(sent(3, 1, "a"));
    };
    assert_eq!(after(late, Guarantee::NoEventLoss), "");
}

#[test]
fn doubt_is_dead_lettered_only_where_nothing_may_come_twice() {
    let in_doubt = |account: &mut Account| {
        account.sent[1].taken = false;
        account.in_doubt = true;
        letter(account, "b", "ambiguous");
    };
    assert_eq!(after(in_doubt, NO_DUPLICATES), "");
    assert!(after(in_doubt, Guarantee::NoEventLoss).contains("b is lost"));
    let without_a_doubt = |account: &mut Account| {
        in_doubt(account);
        account.in_doubt = false;
    };
    assert!(after(without_a_doubt, NO_DUPLICATES).contains("b lies in the dead letter file (ambiguous)"));
}

#[test]
fn a_batch_has_one_key_and_a_key_one_batch() {
    both(
        |account| {
            account.sent.push(Sent { key: "another".to_owned(), taken: false, ..sent(3, 2, "b") });
        },
        "request 3 has the key another",
    );
    both(|account| account.sent[1].key.clone_from(&good().sent[0].key), "request 2 has the key");
}

#[test]
fn an_occurrence_is_reported_once_and_none_is_left_out_without_a_letter() {
    // The count of the event is its version: each record with the version up to which its occurrences were known.
    let of = |records: &[(u64, u64)]| {
        let mut account = good();
        for (number, (version, before)) in records.iter().enumerate() {
            let id = format!("e.{version}");
            account.wanted.insert(id.clone());
            let counts = vec![(*version, version - before)];
            account.sent.push(Sent { counts, ..sent(10 + number, 1, &id) });
        }
        account
    };
    let said = |account: &Account| judge(account, NO_DUPLICATES).join("; ");
    assert_eq!(said(&of(&[(3, 0), (5, 3), (4, 4), (9, 5)])), "");
    assert!(
        said(&of(&[(3, 0), (5, 0)]))
            .contains("e.5 reports occurrences after 0 of e, of which 3 were reported")
    );
    let mut gap = of(&[(3, 0), (9, 5)]);
    assert!(said(&gap).contains("e.9 reports occurrences after 5 of e, and 3 were reported"));
    gap.wanted.insert("e.5".to_owned());
    gap.in_doubt = true;
    letter(&mut gap, "e.5", "ambiguous");
    assert_eq!(said(&gap), "");
}
