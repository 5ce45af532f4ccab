//! A list on its way from the command that has read it to the gateway that puts it in force: a
//! file in the data folder, of 24 bytes for each event.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::Path;

use super::RemovalError;
use super::event::{Aspect, Event};
use super::list::{List, Report};
use crate::base::ids::{ID_MAX, IdKind};

const MAGIC: &[u8; 16] = b"hydrant list v1\n";
const ROW_BYTES: usize = 24;

/// Writes a list's events and report.
///
/// # Errors
/// [`RemovalError::Spool`].
pub fn write_spool(file: &File, path: &Path, list: &List) -> Result<(), RemovalError> {
    let write = || -> io::Result<()> {
        let mut out = BufWriter::new(file);
        let report = serde_json::to_vec(&list.report)?;
        out.write_all(MAGIC)?;
        out.write_all(&(report.len() as u64).to_le_bytes())?;
        out.write_all(&report)?;
        for event in &list.events {
            let mut row = [0; ROW_BYTES];
            row[..8].copy_from_slice(&event.element.to_le_bytes());
            row[8..16].copy_from_slice(&event.at_ms.unwrap_or(i64::MIN).to_le_bytes());
            row[16] = event.kind as u8;
            row[17] = event.aspect as u8;
            row[18] = u8::from(event.removes);
            out.write_all(&row)?;
        }
        out.flush()
    };
    write().map_err(|source| RemovalError::Spool { path: path.display().to_string(), source })
}

/// Reads what [`write_spool`] wrote.
///
/// # Errors
/// [`RemovalError::Spool`], also if it is something else.
pub fn read_spool(path: &Path) -> Result<List, RemovalError> {
    let read = || -> io::Result<List> {
        let mut input = BufReader::new(File::open(path)?);
        let mut head = [0; 24];
        input.read_exact(&mut head)?;
        if head[..16] != *MAGIC {
            return Err(io::Error::other("it is no list of this program"));
        }
        let length = u64::from_le_bytes(head[16..].try_into().expect("8 bytes"));
        let mut report = Vec::new();
        (&mut input).take(length).read_to_end(&mut report)?;
        let report: Report = serde_json::from_slice(&report)?;
        let mut events = Vec::new();
        let mut row = [0; ROW_BYTES];
        loop {
            match input.read_exact(&mut row) {
                Ok(()) => events.push(event_of(&row).ok_or_else(|| {
                    io::Error::new(io::ErrorKind::InvalidData, "a row of it is damaged")
                })?),
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => break,
                Err(error) => return Err(error),
            }
        }
        Ok(List::of(events, report))
    };
    read().map_err(|source| RemovalError::Spool { path: path.display().to_string(), source })
}

fn event_of(row: &[u8; ROW_BYTES]) -> Option<Event> {
    let number = |at: usize| u64::from_le_bytes(row[at..at + 8].try_into().expect("8 bytes"));
    let kind = [IdKind::Tweet, IdKind::User].into_iter().find(|kind| *kind as u8 == row[16])?;
    let at_ms = number(8) as i64;
    Some(Event {
        kind,
        element: Some(number(0)).filter(|id| *id <= ID_MAX)?,
        aspect: Aspect::of_number(row[17])?,
        removes: row[18] != 0,
        at_ms: (at_ms != i64::MIN).then_some(at_ms),
    })
}
