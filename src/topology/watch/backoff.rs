//! How long to wait after bad responses: as client-go's reflector does, twice as long each time, by chance.

use std::time::Duration;

const FIRST: Duration = Duration::from_millis(800);
const LONGEST: Duration = Duration::from_secs(30);
/// Full jitter may draw nothing at all; a loop must not spin on that.
const SHORTEST: Duration = Duration::from_millis(50);

/// The wait after so many failures in a row; `chance` is any number, as likely as every other.
#[must_use]
pub fn backoff(failures: u32, chance: u64) -> Duration {
    let doubled = FIRST.saturating_mul(1_u32.checked_shl(failures.saturating_sub(1)).unwrap_or(u32::MAX));
    share(doubled.min(LONGEST), chance).max(SHORTEST)
}

/// From nothing to all of a time, by chance.
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
