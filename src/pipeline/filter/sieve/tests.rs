//! The sieve against an obvious model, with memory for everything and for almost nothing.

use proptest::prelude::*;

use super::*;
use crate::base::ids::{DmId, TweetId};

/// Gathers what goes out.
#[derive(Default)]
struct Gathered(Vec<Found<TweetId>>);

impl Outlet for Gathered {
    fn tweets(&mut self, found: &[Found<TweetId>]) -> io::Result<()> {
        self.0.extend_from_slice(found);
        Ok(())
    }

    fn users(&mut self, _found: &[Found<UserId>]) -> io::Result<()> {
        unreachable!("only tweets are sieved here")
    }

    fn dms(&mut self, _found: &[Found<DmId>]) -> io::Result<()> {
        unreachable!("only tweets are sieved here")
    }
}

fn found(id: u64, ordinal: usize) -> Found<TweetId> {
    let place = Place { source: 1, offset: ordinal as u64, length: 9 };
    let author = (!id.is_multiple_of(3)).then(|| UserId::from_value(id + 7).unwrap());
    Found { id: TweetId::from_value(id).unwrap(), author, place }
}

proptest! {
    #![proptest_config(crate::base::cases::remembered())]

    #[test]
    fn what_goes_out_is_what_the_model_says(
        ids in prop::collection::vec(0..400_u64, 0..2000),
        deleted in prop::collection::vec(0..600_u64, 0..300),
        distinct in prop_oneof![Just(Distinct::KeepAll), Just(Distinct::KeepFirst)],
        memory_bytes_max in prop_oneof![Just(512_usize), Just(16 << 10), Just(1 << 20)],
    ) {
        let folder = tempfile::tempdir().unwrap();
        let columns = Columns::WithPlaces;
        let mut sieve =
            Sieve::new(Order::Spooled, distinct, columns, memory_bytes_max, folder.path());
        let rows: Vec<_> = ids.iter().enumerate().map(|(at, id)| found(*id, at)).collect();
        let mut gathered = Gathered::default();
        for batch in rows.chunks(300) {
            sieve.take(batch, std::iter::empty(), &mut gathered).unwrap();
        }
        sieve.take(&[], deleted.iter().map(|id| (0, *id)), &mut gathered).unwrap();
        let sieved = sieve.finish(&mut gathered).unwrap();

        let mut seen = HashSet::new();
        let kept: Vec<_> =
            rows.iter().filter(|row| !deleted.contains(&row.id.value())).copied().collect();
        let expected: Vec<_> = kept
            .iter()
            .filter(|row| seen.insert(row.id) || distinct == Distinct::KeepAll)
            .copied()
            .collect();
        prop_assert_eq!(sieved, Sieved {
            removed: (rows.len() - kept.len()) as u64,
            duplicates: (kept.len() - expected.len()) as u64,
            late: 0,
            handed_out: expected.len() as u64,
        });
        prop_assert_eq!(gathered.0, expected);
    }
}
