//! Does an independent reader see in every text the time that ours sees? `ORACLE_CASES` says in how many.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

use std::fmt::Write;

use super::{dice, odd_values};
use dice::Dice;
use event_gateway::time::Stamp;
use time::format_description::well_known::Rfc3339;
use time::{OffsetDateTime, UtcOffset};

/// What the crate `time` makes of it, in UTC: the nanoseconds since 1970, where RFC 3339 can write the year.
fn of_the_crate(text: &str) -> Option<OffsetDateTime> {
    let at = OffsetDateTime::parse(text, &Rfc3339).ok()?.checked_to_offset(UtcOffset::UTC)?;
    (0..=9_999).contains(&at.year()).then_some(at)
}

/// A time, or nearly one: numbers at and beyond their ends, offsets, decimals, one odd character.
fn text(dice: &mut Dice, text: &mut String) {
    text.clear();
    let end = |dice: &mut Dice, ends: &[usize], most: usize| {
        if dice.one_in(4) { ends[dice.below(ends.len())] } else { dice.below(most) }
    };
    let year = end(dice, &[0, 1, 1969, 1970, 2016, 2024, 9999], 10_000);
    let (month, day) = (end(dice, &[0, 2, 12, 13], 13), end(dice, &[0, 1, 28, 29, 30, 31, 32], 32));
    let (hour, minute) = (end(dice, &[0, 23, 24], 24), end(dice, &[0, 59, 60], 60));
    let second = end(dice, &[0, 59, 60, 61], 60);
    write!(text, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}").unwrap();
    let decimals = dice.below(13);
    if decimals > 0 {
        text.push('.');
        // At the end of a second, where rounding would show, or anywhere.
        let nines = dice.one_in(4);
        (1..decimals)
            .for_each(|_| text.push(if nines { '9' } else { char::from(b"0123456789"[dice.below(10)]) }));
    }
    match dice.below(8) {
        0 => write!(text, "+{:02}:{:02}", dice.below(25), dice.below(61)).unwrap(),
        1 => write!(text, "-{:02}:{:02}", dice.below(25), dice.below(61)).unwrap(),
        2 => text.push('z'),
        3 if dice.one_in(4) => {}
        _ => text.push('Z'),
    }
    if dice.one_in(12) {
        let at = dice.below(text.len());
        let odd = ["", " ", "T", "t", "-", "+", ".", ":", "é", "٣", "0", "9"][dice.below(12)];
        text.replace_range(at..at + 1, odd);
    }
}

#[test]
fn times_from_dice_are_read_as_the_crate_reads_them() {
    let (mut written, mut good, mut bad) = (String::new(), 0, 0);
    for (number, mut dice) in odd_values::numbers(500_000) {
        text(&mut dice, &mut written);
        let expected = of_the_crate(&written);
        let stamp = Stamp::parse(&written);
        assert_eq!(stamp.is_some(), expected.is_some(), "case {number}: {written}");
        let (Some(stamp), Some(expected)) = (stamp, expected) else {
            bad += 1;
            continue;
        };
        good += 1;
        assert_eq!(stamp.unix_seconds(), expected.unix_timestamp(), "case {number}: {written}");
        let nanos = u64::try_from(expected.unix_timestamp_nanos()).ok();
        let wall = stamp.wall().map(|at| at.duration_since(std::time::UNIX_EPOCH).unwrap());
        assert_eq!(wall.map(|at| at.as_nanos()), nanos.map(u128::from), "case {number}: {written}");
        // What we write, they read as the same. A leap second is the last instant of the second before it, but
        // is written with the decimals that it came with.
        let again = stamp.text();
        let same = of_the_crate(again.as_str()).unwrap();
        let is_leap = written.get(17..19) == Some("60");
        assert!(same == expected || is_leap, "case {number}: {written} became {}", again.as_str());
        assert_eq!(same.unix_timestamp(), expected.unix_timestamp(), "case {number}: {written}");
        let decimals = |text: &str| match text.rsplit_once([':', '.']) {
            Some((before, after)) if before.len() == 19 => {
                after.bytes().take_while(u8::is_ascii_digit).count()
            }
            _ => 0,
        };
        let utc = written.ends_with(['Z', 'z']).then(|| decimals(&written).min(9));
        assert!(utc.is_none_or(|utc| decimals(again.as_str()) == utc), "case {number}: {written}");
    }
    assert!(good > 1_000 && bad > 1_000, "{good} good, {bad} bad");
}
