//! The text of log lines about kinds that are not followed: which, for how long, why, and what to do.

use std::fmt::Write;
use std::time::Instant;

use super::followed_kinds::Loss;
use crate::topology::kind::ObjectKind;
use crate::topology::watch::LossReason;

/// How many kinds are named before the rest is counted.
const NAMED: usize = 3;

/// `losses` is not empty.
pub(super) fn not_followed(losses: &[Loss], now: Instant) -> String {
    let mut reasons: Vec<LossReason> = losses.iter().map(|loss| loss.reason).collect();
    reasons.sort_unstable();
    reasons.dedup();
    let parts = reasons.into_iter().map(|reason| {
        let of_reason: Vec<&Loss> = losses.iter().filter(|loss| loss.reason == reason).collect();
        let kinds: Vec<ObjectKind> = of_reason.iter().map(|loss| loss.kind).collect();
        let since = of_reason.iter().map(|loss| loss.since).min().unwrap_or(now);
        let seconds = now.saturating_duration_since(since).as_secs();
        // The reasons are similar; the newest one is shown.
        let last = of_reason.iter().max_by_key(|loss| loss.reason_since);
        let why = last.map_or_else(String::new, |loss| explained(loss, &kinds));
        format!("{} have not been followed for {seconds} s: {why}", named(&kinds))
    });
    let parts: Vec<String> = parts.collect();
    format!("{}; events that need them say stale; their last known state stays in use", parts.join("; "))
}

pub(super) fn followed_again(refused: &[Loss]) -> String {
    if refused.is_empty() {
        return "all of the cluster is followed again".to_owned();
    }
    let kinds: Vec<ObjectKind> = refused.iter().map(|loss| loss.kind).collect();
    format!("the cluster is followed again, except what the API server refuses: {}", named(&kinds))
}

fn named(kinds: &[ObjectKind]) -> String {
    let most = if kinds.len() == NAMED + 1 { NAMED + 1 } else { NAMED };
    let (first, rest) = kinds.split_at(kinds.len().min(most));
    let names: Vec<&str> = first.iter().map(|kind| kind.resource()).collect();
    match (rest.len(), names.split_last()) {
        (0, Some((last, before))) if !before.is_empty() => format!("{} and {last}", before.join(", ")),
        (0, _) => names.concat(),
        (more, _) => format!("{} and {more} more", names.join(", ")),
    }
}

fn explained(loss: &Loss, kinds: &[ObjectKind]) -> String {
    let why = &loss.why;
    match loss.reason {
        LossReason::Unreachable => format!("{why} (look at kube_url, and at the API server)"),
        LossReason::Unauthorized => format!("{why}, it refuses the token (look at kube_token_file)"),
        LossReason::Forbidden => format!("the ClusterRole needs list and watch on {} (403)", rules(kinds)),
        LossReason::NotServed => {
            let paths: Vec<&str> = kinds.iter().map(|kind| kind.path()).collect();
            format!("this API server does not serve {} (404)", paths.join(", "))
        }
        LossReason::Throttled => format!("{why}, it is too busy (look at its flow control)"),
        LossReason::ServerError | LossReason::Unreadable => {
            format!("{why} (look at the API server's own log)")
        }
    }
}

/// Resources and groups, as in an RBAC rule.
fn rules(kinds: &[ObjectKind]) -> String {
    let mut groups: Vec<&str> = Vec::new();
    for kind in kinds {
        if !groups.contains(&kind.group()) {
            groups.push(kind.group());
        }
    }
    let mut text = String::new();
    for group in groups {
        let resources: Vec<&str> =
            kinds.iter().filter(|kind| kind.group() == group).map(|kind| kind.resource()).collect();
        let separator = if text.is_empty() { "" } else { ", " };
        let _ = write!(text, "{separator}{} in the group \"{group}\"", resources.join(", ")); // a String takes everything
    }
    text
}
