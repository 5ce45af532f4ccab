//! How often what has happened in histories: what never happens is not tested.

/// How often what has happened.
#[derive(Debug, Default)]
pub(super) struct Seen {
    pub(super) granted: u64,
    pub(super) refused_now: u64,
    pub(super) refused_over: u64,
    pub(super) refused_for_ever: u64,
    pub(super) unavailable: u64,
    pub(super) settled: u64,
    pub(super) released: u64,
    pub(super) crashed: u64,
    pub(super) stale: u64,
    pub(super) jumped: u64,
    pub(super) exempted: u64,
    pub(super) returned: u64,
    pub(super) joined: u64,
    pub(super) left: u64,
    pub(super) merged: u64,
    /// By a join or a merge: anything, something that is open, and more than fits.
    pub(super) carried: u64,
    pub(super) carried_open: u64,
    pub(super) carried_over: u64,
    /// At peer-review links.
    pub(super) opened_links: u64,
    pub(super) granted_at_links: u64,
    pub(super) full_links: u64,
    pub(super) ended_links: u64,
}

impl Seen {
    /// Every count by its name.
    fn counts(&mut self) -> [(&'static str, &mut u64); 22] {
        [
            ("granted", &mut self.granted),
            ("refused for now", &mut self.refused_now),
            ("refused because over", &mut self.refused_over),
            ("refused for ever", &mut self.refused_for_ever),
            ("unavailable", &mut self.unavailable),
            ("settled", &mut self.settled),
            ("released", &mut self.released),
            ("crashed", &mut self.crashed),
            ("stale", &mut self.stale),
            ("jumped", &mut self.jumped),
            ("exempted", &mut self.exempted),
            ("returned", &mut self.returned),
            ("joined", &mut self.joined),
            ("left", &mut self.left),
            ("merged", &mut self.merged),
            ("carried along", &mut self.carried),
            ("carried while open", &mut self.carried_open),
            ("carried above a ceiling", &mut self.carried_over),
            ("asked of a link", &mut self.opened_links),
            ("granted to a link", &mut self.granted_at_links),
            ("refused to a link that is full", &mut self.full_links),
            ("refused to a link that is over", &mut self.ended_links),
        ]
    }

    pub(super) fn add(&mut self, other: &mut Seen) {
        for ((_, sum), (_, count)) in self.counts().into_iter().zip(other.counts()) {
            *sum += *count;
        }
    }

    /// Asserts that everything that can happen has happened.
    pub(super) fn assert_everything(&mut self) {
        for (name, count) in self.counts() {
            assert!(*count > 0, "in no history was anything {name}");
        }
    }
}
