//! Names of files: they sort by time, show whether the file is complete, and are unique.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::time::Stamp;

const PART: &str = ".part";
const PACKED_PART: &str = ".gz.part";
const WHOLE: &str = ".ndjson";
const PACKED_WHOLE: &str = ".ndjson.gz";

/// The names of one run.
#[derive(Debug)]
pub struct Names {
    /// Random, so that no other run has the same.
    suffix: String,
    number: u32,
    /// The latest time in a name: names still sort after the clock was set back.
    latest: Duration,
}

impl Names {
    /// Draws the suffix.
    #[must_use]
    pub fn for_this_run() -> Self {
        // Every `RandomState` has other keys.
        let random = RandomState::new().build_hasher().finish();
        Self { suffix: format!("{:08x}", random >> 32), number: 0, latest: Duration::ZERO }
    }

    /// The next name, without its extension.
    pub fn next(&mut self, wall: SystemTime) -> String {
        self.latest = self.latest.max(wall.duration_since(UNIX_EPOCH).unwrap_or_default());
        self.number = self.number.wrapping_add(1);
        let time = Stamp::from_unix_millis(self.latest.as_millis() as f64);
        let time = time.map(|time| time.to_string().replace(['-', ':'], "")).unwrap_or_default();
        format!("{time}-{:06}-{}", self.number, self.suffix)
    }
}

/// The path of a file that is being written. The glob `*.ndjson*` does not match it.
#[must_use]
pub fn part(folder: &Path, stem: &str, is_gzip: bool) -> PathBuf {
    folder.join(format!("{stem}{}", if is_gzip { PACKED_PART } else { PART }))
}

/// The final path of a file, and whether it is compressed; `None` if the name is not of this transport.
#[must_use]
pub fn whole(part: &Path) -> Option<(PathBuf, bool)> {
    let name = part.file_name()?.to_str()?;
    let (stem, is_gzip) = match name.strip_suffix(PACKED_PART) {
        Some(stem) => (stem, true),
        None => (name.strip_suffix(PART)?, false),
    };
    let end = if is_gzip { PACKED_WHOLE } else { WHOLE };
    is_ours(stem).then(|| (part.with_file_name(format!("{stem}{end}")), is_gzip))
}

fn is_ours(stem: &str) -> bool {
    let mut words = stem.split('-');
    let (Some(time), Some(number), Some(suffix), None) =
        (words.next(), words.next(), words.next(), words.next())
    else {
        return false;
    };
    time.ends_with('Z')
        && time.starts_with(|c: char| c.is_ascii_digit())
        && number.len() == 6
        && number.bytes().all(|byte| byte.is_ascii_digit())
        && suffix.len() == 8
        && suffix.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_sort_as_they_were_made_whatever_the_clock_does() {
        let at = |millis: u64| UNIX_EPOCH + Duration::from_millis(millis);
        let mut names = Names::for_this_run();
        let clock = [1_795_283_055_123, 1_795_283_055_123, 0, 1_795_283_055_122, 1_795_283_055_124];
        let made: Vec<_> = clock.into_iter().map(|millis| names.next(at(millis))).collect();
        assert!(made.is_sorted(), "{made:?}");
        assert!(made[0].starts_with("20261121T174415.123Z-000001-"), "{made:?}");
        assert_ne!(names.suffix, Names::for_this_run().suffix);
    }

    #[test]
    fn a_name_is_completed_by_its_end_alone_and_only_if_it_is_ours() {
        let mut names = Names::for_this_run();
        let stem = names.next(SystemTime::UNIX_EPOCH);
        for (is_gzip, end) in [(false, ".ndjson"), (true, ".ndjson.gz")] {
            let part = part(Path::new("/x"), &stem, is_gzip);
            assert!(!part.to_str().unwrap().contains(".ndjson"));
            let expected = PathBuf::from(format!("/x/{stem}{end}"));
            assert_eq!(whole(&part), Some((expected.clone(), is_gzip)));
            assert_eq!(whole(&expected), None);
        }
        for other in
            ["movie.part", "a-b-c.part", "1Z-000001-0123456.part", ".part", "1Z-00001x-01234567.part"]
        {
            assert_eq!(whole(Path::new(other)), None, "{other}");
        }
    }
}
