//! How the property tests of every room run: where the cases that once failed are remembered.

use proptest::test_runner::{Config, FileFailurePersistence};

/// The configuration of `proptest`: failed cases are kept below `tests/`, and tried first.
pub(crate) fn remembered() -> Config {
    let place = FileFailurePersistence::SourceParallel("tests/regressions");
    Config { failure_persistence: Some(Box::new(place)), ..Config::default() }
}
