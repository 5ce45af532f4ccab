//! Format 2, pages of v1.1 search (`statuses` with `search_metadata`) and of premium search
//! (`results` with `requestParameters`): each element is a v1.1 tweet. Cursors are no IDs.

use super::harvest::Harvest;
use super::key::Key;
use super::record::Record;
use super::v1_tweet;
use crate::pipeline::reason::Reason;

pub(super) fn recognise(record: &Record<'_>) -> bool {
    record.is_array(Key::Statuses) || record.is_array(Key::Results)
}

pub(super) fn extract(record: &Record<'_>, harvest: &mut Harvest) {
    let mut elements = 0_u64;
    for list in [Key::Statuses, Key::Results] {
        for element in record.records(list) {
            elements += 1;
            match element {
                Some(tweet) if v1_tweet::recognise(&tweet) => v1_tweet::extract(&tweet, harvest),
                Some(activity) if super::gnip::recognise(&activity) => {
                    super::gnip::extract(&activity, harvest);
                }
                _ => harvest.flag(Reason::Unknown),
            }
        }
    }
    if elements == 0 {
        harvest.flag(Reason::Empty);
    }
}
