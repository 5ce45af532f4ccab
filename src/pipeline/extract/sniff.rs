//! Which lane a source takes, told by its first bytes: JSON, a table, or a list of IDs.

use super::table::{Header, Table};
use super::{FORMATS, Format, Lane, More, Shape, Task, account_archive, id_list, json};

/// How many bytes are looked at where the first one does not tell.
const SNIFFED_BYTES: usize = 64 * 1024;

/// The lane of a source that begins with `input`; none if more of it is needed.
pub(super) fn lane(input: &[u8], more: More, task: &Task) -> Option<Lane> {
    let text = input.iter().position(|byte| !byte.is_ascii_whitespace() && *byte != 0);
    let enough = more == More::Ended || input.len() >= SNIFFED_BYTES;
    if let Some(format) = task.format {
        return forced(format, input, enough);
    }
    let Some(start) = text else {
        return (more == More::Ended).then(|| Lane::Json(json::Json::new()));
    };
    if matches!(input[start], b'{' | b'[') {
        return Some(Lane::Json(json::Json::new()));
    }
    if !enough {
        return None;
    }
    let head = &input[start..input.len().min(SNIFFED_BYTES.max(start))];
    Some(told(head))
}

/// Whether `input` is so much white space or padding that nothing before the text can matter.
pub(super) fn is_blank(input: &[u8]) -> bool {
    let is_text = |byte: &u8| !byte.is_ascii_whitespace() && *byte != 0;
    input.len() >= SNIFFED_BYTES && !input.iter().any(is_text)
}

fn forced(format: &'static Format, input: &[u8], enough: bool) -> Option<Lane> {
    match format.shape {
        Shape::Json { .. } | Shape::Removals { .. } => Some(Lane::Json(json::Json::new())),
        Shape::List => Some(Lane::List(id_list::List::new())),
        Shape::Table { .. } if !enough => None,
        Shape::Table { columns, .. } => {
            let header = Header::read(input).unwrap_or_default();
            let columns = columns(&header);
            Some(Lane::Table(Box::new(Table::new(format, header, columns))))
        }
    }
}

/// The lane of text that begins with neither bracket.
fn told(head: &[u8]) -> Lane {
    let mut lines = head.split(|byte| *byte == b'\n');
    let first = lines.next().unwrap_or_default();
    if first.starts_with(account_archive::SCRIPT) {
        return Lane::Json(json::Json::new());
    }
    let is_list = id_list::is_entry(first);
    if let Some(header) = Header::read(head).filter(|_| !is_list) {
        for format in FORMATS {
            if let Shape::Table { recognise, columns } = format.shape
                && recognise(&header)
            {
                let columns = columns(&header);
                return Lane::Table(Box::new(Table::new(format, header, columns)));
            }
        }
    }
    // A piece of a JSON file may begin within a record, even with a number on a line of its own.
    if lines.any(is_json) {
        return Lane::Json(json::Json::new());
    }
    Lane::List(id_list::List::new())
}

/// Whether a line is a piece of JSON rather than an entry of a list.
fn is_json(line: &[u8]) -> bool {
    matches!(line.trim_ascii_start().first(), Some(b'{' | b'[' | b'}' | b']'))
        || memchr::memmem::find(line, b"\":").is_some()
}
