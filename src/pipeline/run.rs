//! One run of a strip: the loop that every source goes through, and the report at its end.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::crew::{self, Crew, Guess};
use super::decode::{Bomb, Broken};
use super::extract::{Harvest, KindUndeclared, More, Task};
use super::filter::{Sieve, Sieved};
use super::found::{Outlet, Rejected, Watch};
use super::reader::{Blocks, Said};
use super::reading::Reading;
use super::reason::{Gravity, Reason};
use super::removed::Strike;
use super::sample::Samples;
use super::source::Source;
use super::tally::{IdTally, ReasonCounts, ReasonPlace, Reasons, SourceTally, Tally};
use super::turns::{Begun, Plan, Turns};
use super::wants::Damage;
use super::{FORMATS, PipelineError, Strip};
use crate::base::date::DAY_MS;
use crate::base::ids::{DmId, Id, IdKind, TweetId, UserId};

pub(super) fn run(
    strip: &Strip,
    sources: &[Source],
    outlet: &mut dyn Outlet,
    watch: &dyn Watch,
) -> Result<Tally, PipelineError> {
    let mut run = Run::new(strip, outlet, watch);
    std::thread::scope(|scope| {
        let crew = (strip.threads > 1).then(|| Crew::start(scope, strip.threads));
        let plan = Plan {
            bounds: strip.bounds,
            spool_folder: &strip.spool_folder,
            threads: strip.threads,
            blocks: crew.as_ref().map_or(0, Crew::ahead),
        };
        let mut turns = Turns::new(scope, sources, plan);
        for (index, source) in sources.iter().enumerate() {
            let index = u32::try_from(index).expect("fewer than 2^32 sources");
            run.source(index, source, &mut turns, crew.as_ref())?;
        }
        Ok(())
    })?;
    run.finish()
}

struct Run<'a> {
    strip: &'a Strip,
    outlet: &'a mut dyn Outlet,
    watch: &'a dyn Watch,
    harvest: Harvest,
    tweets: Sieve<TweetId>,
    users: Sieve<UserId>,
    dms: Sieve<DmId>,
    found: Counts,
    suppressed: Counts,
    samples: Samples,
    strike: Strike,
    reasons: Reasons,
    tally: Tally,
}

impl<'a> Run<'a> {
    fn new(strip: &'a Strip, outlet: &'a mut dyn Outlet, watch: &'a dyn Watch) -> Run<'a> {
        let memory = strip.memory_bytes_max / strip.ids.len();
        let folder = &strip.spool_folder;
        let mut harvest = Harvest::new(strip.ids, strip.scope, strip.columns);
        if strip.removed.is_some() {
            harvest.look_for_authors();
        }
        // Clocks of the platform and of this machine may differ by a day.
        let tomorrow_ms = strip.now_ms.map(|now_ms| now_ms.saturating_add(DAY_MS));
        if let Some(end) = tomorrow_ms.and_then(|ms| TweetId::first_of_ms(ms).ok()) {
            harvest.set_id_max(end.value());
        }
        Run {
            strip,
            outlet,
            watch,
            harvest,
            tweets: Sieve::new(strip.order, strip.distinct, strip.columns, memory, folder),
            users: Sieve::new(strip.order, strip.distinct, strip.columns, memory, folder),
            dms: Sieve::new(strip.order, strip.distinct, strip.columns, memory, folder),
            found: [0; IdKind::ALL.len()],
            suppressed: [0; IdKind::ALL.len()],
            samples: Samples::default(),
            strike: Strike::default(),
            reasons: Reasons::default(),
            tally: Tally::default(),
        }
    }

    /// Reads one source to its end.
    fn source(
        &mut self,
        index: u32,
        source: &Source,
        turns: &mut Turns<'_, '_>,
        crew: Option<&Crew>,
    ) -> Result<(), PipelineError> {
        self.harvest.set_source(index);
        let before = (self.found, self.reasons.counts());
        if source.holds_no_records() {
            let reading = Reading::new(source.name(), Arc::default(), self.task());
            self.placed(&reading.name, Reason::PassedOver, 1, 0)?;
            self.note(reading, before);
            return Ok(());
        }
        let Begun { blocks, thread, bytes_read } = turns
            .next()
            .map_err(|error| PipelineError::Open { name: source.name(), source: error })?;
        let mut reading = Reading::new(source.name(), bytes_read, self.task());
        match crew.map(|crew| Guess::new(crew, &self.harvest)) {
            Some(guess) => self.blocks_beside(&mut reading, &blocks, guess)?,
            None => self.blocks(&mut reading, &blocks)?,
        }
        // The thread ends when nobody takes its blocks.
        drop(blocks);
        thread.join().expect("the reading thread does not panic");
        self.suspect(&reading)?;
        self.note(reading, before);
        Ok(())
    }

    fn task(&self) -> Task {
        Task {
            format: self.strip.format,
            declared: self.strip.declared,
            record_bytes_max: self.strip.bounds.record_bytes_max,
        }
    }

    /// What was met so far: IDs, records of no known shape, control lines.
    fn seen(&self) -> [u64; 3] {
        let count = |reason| self.reasons.count_of(reason);
        [self.found.iter().sum(), count(Reason::Unknown), count(Reason::Control)]
    }

    /// Counts one damage for a source that holds something, but nothing that anybody knows:
    /// otherwise a wrong file would pass for one without IDs.
    fn fruitless(&mut self, reading: &mut Reading) -> Result<(), PipelineError> {
        let Some((line, byte)) = reading.begins else { return Ok(()) };
        let before = reading.seen_before;
        let [found, unknown, control] = self.seen();
        if reading.records == 0 && reading.extractor.is_list() {
            reading.records += 1;
            return self.placed(&reading.name, Reason::NotARecord, line, byte);
        }
        let all_unknown = reading.records > 0 && unknown - before[1] >= reading.records;
        if all_unknown && found == before[0] && control == before[2] {
            return self.placed(&reading.name, Reason::NothingKnown, line, byte);
        }
        Ok(())
    }

    /// Counts the columns whose IDs look rounded together; a column has no place but its source.
    fn suspect(&mut self, reading: &Reading) -> Result<(), PipelineError> {
        for verdict in self.samples.verdicts() {
            self.placed(&reading.source, verdict, 1, 0)?;
        }
        Ok(())
    }

    /// Takes all blocks of one source, file by file.
    fn blocks(&mut self, reading: &mut Reading, blocks: &Blocks) -> Result<(), PipelineError> {
        while let Some(said) = blocks.next() {
            self.take(reading, blocks, said)?;
        }
        self.end_part(reading)
    }

    /// The same, while others extract what is to come.
    fn blocks_beside(
        &mut self,
        reading: &mut Reading,
        blocks: &Blocks,
        mut guess: Guess<'_>,
    ) -> Result<(), PipelineError> {
        let mut ahead = VecDeque::new();
        let mut offset = 0;
        loop {
            // Whatever is at hand is given out; what was given out first is waited for.
            while ahead.len() < guess.ahead() {
                let said = if ahead.is_empty() { blocks.next() } else { blocks.next_at_hand() };
                let Some(said) = said else { break };
                ahead.push_back(match said {
                    Ok(Said::Block(block)) => {
                        let begin = offset;
                        offset += block.len() as u64;
                        match guess.read(block, &reading.extractor, begin) {
                            Ok(piece) => Ahead::Piece(piece),
                            Err(block) => Ahead::Said(Ok(Said::Block(block))),
                        }
                    }
                    said => {
                        // The next file begins, or nothing comes.
                        offset = 0;
                        guess.begin(match &said {
                            Ok(Said::Part(_, encodings)) => encodings,
                            _ => &[],
                        });
                        Ahead::Said(said)
                    }
                });
            }
            match ahead.pop_front() {
                Some(Ahead::Said(said)) => {
                    self.take(reading, blocks, said)?;
                    if ahead.is_empty() {
                        guess.took(&reading.extractor);
                    }
                }
                Some(Ahead::Piece(piece)) => {
                    let done = piece.recv().expect("the crew does not panic");
                    self.piece(reading, blocks, done, &mut guess)?;
                }
                None => break,
            }
        }
        self.end_part(reading)
    }

    /// Extracts what is left of a file, and looks at it as a whole.
    fn end_part(&mut self, reading: &mut Reading) -> Result<(), PipelineError> {
        self.drain(reading, More::Ended)?;
        self.fruitless(reading)?;
        reading.end_part();
        Ok(())
    }

    /// Takes what the reading thread said.
    fn take(
        &mut self,
        reading: &mut Reading,
        blocks: &Blocks,
        said: io::Result<Said>,
    ) -> Result<(), PipelineError> {
        match said {
            Ok(Said::Part(name, encodings)) => {
                self.end_part(reading)?;
                reading.begin_part(&name, encodings, self.task());
                reading.seen_before = self.seen();
            }
            Ok(Said::PassedOver(name)) => {
                let name = reading.name_of(&name);
                self.placed(&name, Reason::PassedOver, 1, 0)?;
            }
            Ok(Said::Block(block)) => {
                let worth_trying = reading.add(block, blocks);
                if worth_trying {
                    self.drain(reading, More::MayCome)?;
                }
            }
            Err(error) => {
                let read = reading.bytes_read.load(Ordering::Relaxed);
                let reason = container_damage(&reading.source, read, error)?;
                self.drain(reading, More::Ended)?;
                let byte = reading.part_bytes;
                self.reason(reading, reason, byte)?;
            }
        }
        Ok(())
    }

    /// Takes a block that was extracted by itself, or extracts it in turn if it did not stand so.
    fn piece(
        &mut self,
        reading: &mut Reading,
        blocks: &Blocks,
        done: crew::Done,
        guess: &mut Guess<'_>,
    ) -> Result<(), PipelineError> {
        let crew::Done { block, piece } = done;
        let right = reading.window.is_empty() && reading.extractor.pass(&piece);
        guess.learn(right);
        if !right {
            return self.take(reading, blocks, Ok(Said::Block(block)));
        }
        reading.part_bytes += block.len() as u64;
        for harvest in piece.harvests {
            self.harvest = harvest;
            self.harvested(reading, &block)?;
        }
        reading.count_lines(block.len());
        blocks.give_back(block);
        self.tell(reading);
        Ok(())
    }

    /// Extracts as much of the window as there is, and hands it on.
    fn drain(&mut self, reading: &mut Reading, more: More) -> Result<(), PipelineError> {
        let mut used = 0;
        loop {
            let input = &reading.window[used..];
            let taken = reading
                .extractor
                .take(input, more, &mut self.harvest)
                .map_err(|KindUndeclared| reading.kind_undeclared())?;
            let window = std::mem::take(&mut reading.window);
            let harvested = self.harvested(reading, &window[used..]);
            reading.window = window;
            harvested?;
            reading.count_lines(taken);
            used += taken;
            if taken == 0 {
                break;
            }
        }
        reading.window.drop_front(used);
        reading.tried = reading.window.len();
        self.tell(reading);
        Ok(())
    }

    /// Tells whoever watches how far it is.
    fn tell(&self, reading: &Reading) {
        let read = self.tally.bytes_read + reading.bytes_read.load(Ordering::Relaxed);
        let records = self.tally.records + reading.all_records + reading.records;
        self.watch.progress(read, records);
    }

    /// Hands on what the harvest holds of `input`, which begins where the lines are counted to.
    fn harvested(&mut self, reading: &mut Reading, input: &[u8]) -> Result<(), PipelineError> {
        reading.records += self.harvest.records;
        self.flags(reading, input)?;
        self.samples.look(&self.harvest.tweets);
        self.samples.look(&self.harvest.users);
        self.samples.look(&self.harvest.dms);
        if reading.bytes_decoded > 0 {
            self.harvest.stand_behind(reading.bytes_decoded);
        }
        self.sift()?;
        self.harvest.clear();
        Ok(())
    }

    /// Counts and places the reasons that the harvest holds of `input`.
    fn flags(&mut self, reading: &Reading, input: &[u8]) -> Result<(), PipelineError> {
        let flags = std::mem::take(&mut self.harvest.flags);
        let mut lines = reading.lines;
        for flag in &flags {
            if flag.reason.gravity() == Gravity::Note && flag.reason != Reason::Unknown {
                // Common and harmless: its first places are enough, without counting lines.
                let count = self.reasons.count_of(flag.reason);
                if count >= super::tally::PLACES_MAX as u64 {
                    self.reasons.add(flag.reason, 1);
                    continue;
                }
            }
            let line = lines.at(reading.lines, input, flag.byte);
            self.placed(&reading.name, flag.reason, line, flag.byte)?;
        }
        self.harvest.flags = flags;
        Ok(())
    }

    /// Counts a reason at the end of what was read.
    fn reason(&mut self, at: &Reading, reason: Reason, byte: u64) -> Result<(), PipelineError> {
        self.placed(&at.name, reason, at.lines.line(), byte)
    }

    fn placed(
        &mut self,
        name: &str,
        reason: Reason,
        line: u64,
        byte: u64,
    ) -> Result<(), PipelineError> {
        self.reasons.count(reason, || ReasonPlace { source: name.to_owned(), line, byte });
        let damaged = reason.gravity() == Gravity::Damaged;
        if damaged && self.strip.damage == Damage::Refuse {
            return Err(PipelineError::Damaged { name: name.to_owned(), line, byte, reason });
        }
        if damaged || reason == Reason::Unknown {
            let rejected = Rejected { source: name, line, byte, reason };
            self.outlet.rejected(&rejected).map_err(write_error)?;
        }
        Ok(())
    }

    /// Takes out of the harvest what must not be handed out.
    fn strike_out(&mut self) -> io::Result<()> {
        let Some(removed) = self.strip.removed.as_deref() else { return Ok(()) };
        let Harvest { tweets, users, dms, deleted, .. } = &mut self.harvest;
        let [struck_tweets, struck_users, struck_dms] = &mut self.suppressed;
        *struck_tweets += self.strike.out(removed, tweets, deleted)?;
        *struck_users += self.strike.out(removed, users, deleted)?;
        *struck_dms += self.strike.out(removed, dms, deleted)?;
        Ok(())
    }

    /// Hands the harvest's IDs and deletes to the sieves.
    fn sift(&mut self) -> Result<(), PipelineError> {
        for (kind, count) in [
            (IdKind::Tweet, self.harvest.tweets.len()),
            (IdKind::User, self.harvest.users.len()),
            (IdKind::Dm, self.harvest.dms.len()),
        ] {
            self.found[kind as usize] += count as u64;
        }
        self.strike_out().map_err(write_error)?;
        let Harvest { tweets, users, dms, deleted, .. } = &self.harvest;
        let of = |kind| {
            let deleted = deleted.iter().filter(move |deleted| deleted.kind == kind);
            deleted.map(|deleted| (deleted.after, deleted.id))
        };
        self.tweets.take(tweets, of(IdKind::Tweet), self.outlet).map_err(write_error)?;
        self.users.take(users, of(IdKind::User), self.outlet).map_err(write_error)?;
        self.dms.take(dms, of(IdKind::Dm), self.outlet).map_err(write_error)
    }

    /// Writes down what was read from a source, and what was found and met since `before`.
    fn note(&mut self, reading: Reading, before: (Counts, ReasonCounts)) {
        let bytes_read = reading.bytes_read.load(Ordering::Relaxed);
        let counts = FORMATS.iter().zip(reading.formats);
        let formats = counts.filter(|(_, count)| *count > 0);
        let found = self
            .strip
            .ids
            .iter()
            .map(|kind| (kind.word(), self.found[kind as usize] - before.0[kind as usize]));
        self.tally.bytes_read += bytes_read;
        self.tally.records += reading.all_records;
        self.tally.sources.push(SourceTally {
            name: reading.source,
            bytes_read,
            bytes_decoded: reading.bytes_decoded,
            encodings: reading.encodings,
            files: reading.files,
            records: reading.all_records,
            formats: formats.map(|(format, count)| (format.name, count)).collect(),
            columns: reading.columns,
            found: found.collect(),
            reasons: self.reasons.since(&before.1),
        });
    }

    /// Hands out what was spooled, and closes the report.
    fn finish(mut self) -> Result<Tally, PipelineError> {
        let tweets = self.tweets.finish(self.outlet).map_err(write_error)?;
        let users = self.users.finish(self.outlet).map_err(write_error)?;
        let dms = self.dms.finish(self.outlet).map_err(write_error)?;
        for (kind, sieved) in [(IdKind::Tweet, tweets), (IdKind::User, users), (IdKind::Dm, dms)] {
            let Sieved { removed, duplicates, late, handed_out } = sieved;
            self.reasons.add(Reason::LateDelete, late);
            if self.strip.ids.contains(kind) {
                let found = self.found[kind as usize];
                let suppressed = self.suppressed[kind as usize];
                let row = IdTally { found, removed, suppressed, duplicates, handed_out };
                self.tally.ids.push((kind, row));
            }
        }
        self.tally.reasons = self.reasons.into_rows();
        self.tally.clean = self.tally.is_clean();
        Ok(self.tally)
    }
}

fn write_error(source: io::Error) -> PipelineError {
    PipelineError::Write { source }
}

/// IDs of each kind.
type Counts = [u64; IdKind::ALL.len()];

/// What is still to be taken, in order.
enum Ahead {
    Said(io::Result<Said>),
    Piece(crew::Reading),
}

/// Whether an error of reading the source of that name is damage to a container, after which the
/// report goes on.
pub(super) fn container_damage(
    name: &str,
    bytes_read: u64,
    error: io::Error,
) -> Result<Reason, PipelineError> {
    let name = name.to_owned();
    match error.get_ref() {
        Some(inner) if inner.is::<Broken>() => {
            Err(PipelineError::Read { name, byte: bytes_read, source: Broken::inside(error) })
        }
        Some(inner) if inner.is::<Bomb>() => {
            Err(PipelineError::Bound { name, bound: inner.to_string() })
        }
        _ => Ok(Reason::Container),
    }
}
