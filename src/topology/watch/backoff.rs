//! How long to wait after failures: doubling with jitter, as in client-go's reflector.

use std::time::Duration;

const FIRST: Duration = Duration::from_millis(800);
const LONGEST: Duration = Duration::from_secs(30);
/// Full jitter may draw zero; this keeps a loop from spinning.
const SHORTEST: Duration = Duration::from_millis(50);

/// The wait after this many failures in a row. `chance` is a uniformly random number.
#[must_use]
pub fn backoff(failures: u32, chance: u64) -> Duration {
    let doubled = FIRST.saturating_mul(1_u32.checked_shl(failures.saturating_sub(1)).unwrap_or(u32::MAX));
    share(doubled.min(LONGEST), chance).max(SHORTEST)
}

/// A random part of a duration, from zero to all of it.
#[must_use]
pub fn share(of: Duration, chance: u64) -> Duration {
    let millis = (u128::from(chance) * of.as_millis()) >> 64;
    Duration::from_millis(u64::try_from(millis).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_doubles_up_to_half_a_minute_and_never_spins() {
        let longest = |failures| backoff(failures, u64::MAX).as_millis();
        assert_eq!([1, 2, 3, 6].map(longest), [799, 1_599, 3_199, 25_599]);
        assert_eq!([7, 33, u32::MAX].map(longest), [29_999; 3]);
        assert_eq!(backoff(9, 0), SHORTEST);
        assert_eq!(backoff(1, u64::MAX / 2).as_millis(), 399);
    }
}
