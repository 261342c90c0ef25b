//! How many cases a property is tried on.

use proptest::test_runner::Config;

/// As many as `PROPTEST_CASES` says, or else so many. What fails is shrunk and printed, and kept as a test with a
/// name: no file of seeds is written.
pub fn cases(default: u32) -> Config {
    let text = std::env::var("PROPTEST_CASES");
    let cases = text.map_or(default, |text| text.parse().expect("PROPTEST_CASES is a number"));
    Config { cases, failure_persistence: None, ..Config::default() }
}
