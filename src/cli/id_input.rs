//! The IDs that a command is given, read as `hydrant strip` reads them: from any format, each once,
//! and none that was mangled on its way.

use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};

use super::progress::Bar;
use super::strip_report;
use crate::base::ids::IdKind;
use crate::pipeline::{Damage, Distinct, IdSpool, KindSet, MEMORY_BYTES_MAX, Source, Strip, Tally};

/// How many IDs are taken from the spool at once.
const AT_ONCE: u64 = 8_192;

/// What a command was given.
pub(super) struct Input {
    spool: IdSpool,
    tally: Tally,
}

/// Reads the IDs of `files`; `-` and nothing are stdin.
pub(super) fn read(files: &[PathBuf], kind: IdKind, damage: Damage) -> anyhow::Result<Input> {
    let sources = sources(files);
    let strip = Strip { distinct: Distinct::KeepFirst, damage, ..Strip::of(KindSet::only(kind)) };
    let mut spool = IdSpool::new(kind, MEMORY_BYTES_MAX, &strip.spool_folder);
    let bar = Bar::over(&sources);
    let tally = strip.run(&sources, &mut spool, &bar);
    bar.clear();
    let tally = tally?;
    if !tally.is_clean() {
        eprint!("{}", strip_report::for_people(&tally));
    }
    Ok(Input { spool, tally })
}

fn sources(files: &[PathBuf]) -> Vec<Source> {
    if files.is_empty() {
        if io::stdin().is_terminal() {
            super::wrong_usage("name the files with the IDs, or give them on stdin");
        }
        return vec![Source::Stdin];
    }
    let source = |file: &PathBuf| match file == Path::new("-") {
        true => Source::Stdin,
        false => Source::File(file.clone()),
    };
    files.iter().map(source).collect()
}

impl Input {
    /// How many IDs there are.
    pub(super) fn ids(&self) -> u64 {
        self.spool.ids()
    }

    /// Whether nothing that should have been an ID was left out.
    pub(super) fn is_clean(&self) -> bool {
        self.tally.is_clean()
    }

    /// The IDs, in the order in which they stood first.
    pub(super) fn iter(&self) -> impl Iterator<Item = io::Result<u64>> {
        let ids = self.spool.ids();
        let firsts = (0..ids).step_by(AT_ONCE as usize);
        firsts.flat_map(move |first| {
            let read = self.spool.read(first, AT_ONCE.min(ids - first));
            let (ids, error) = match read {
                Ok(ids) => (ids, None),
                Err(error) => (Vec::new(), Some(Err(error))),
            };
            ids.into_iter().map(Ok).chain(error)
        })
    }
}
