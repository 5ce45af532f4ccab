//! IDs as a Parquet file: one column of texts, because many tools make numbers of so many digits
//! floating point on their way, and rounded IDs name other Tweets.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use parquet::basic::{
    Compression, Encoding, LogicalType, Repetition, Type as PhysicalType, ZstdLevel,
};
use parquet::data_type::{ByteArray, ByteArrayType};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::Type;

use super::{Encode, column};
use crate::base::ids::IdKind;

/// How many IDs a row group has: they take about 20 bytes each in memory.
const GROUP_IDS: usize = 256 << 10;

/// What was written and nobody has taken yet. The library wants to own what it writes to.
#[derive(Clone, Default)]
struct Written(Arc<Mutex<Vec<u8>>>);

impl Written {
    fn take(&self) -> Vec<u8> {
        std::mem::take(&mut *self.0.lock().expect("nobody panics while they hold it"))
    }
}

impl Write for Written {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("nobody panics while they hold it").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A table of one column.
pub(super) struct Table {
    written: Written,
    /// None once it is finished.
    writer: Option<SerializedFileWriter<Written>>,
    /// The texts of the row group that is gathered, one behind the other, and where each ends.
    texts: Vec<u8>,
    ends: Vec<usize>,
}

impl Table {
    /// Begins a file of IDs of one kind.
    pub(super) fn begin(kind: IdKind) -> Table {
        let text = Type::primitive_type_builder(column(kind), PhysicalType::BYTE_ARRAY)
            .with_repetition(Repetition::REQUIRED)
            .with_logical_type(Some(LogicalType::String))
            .build()
            .expect("a column of texts is one");
        let schema = Type::group_type_builder("ids").with_fields(vec![Arc::new(text)]).build();
        let properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(ZstdLevel::default()))
            // Hardly an ID stands there twice.
            .set_dictionary_enabled(false)
            .set_encoding(Encoding::DELTA_BYTE_ARRAY)
            .set_created_by(concat!("hydrant ", env!("CARGO_PKG_VERSION")).to_owned())
            .build();
        let written = Written::default();
        let schema = Arc::new(schema.expect("one column is a table"));
        let writer = SerializedFileWriter::new(written.clone(), schema, Arc::new(properties));
        let writer = Some(writer.expect("memory takes whatever is written"));
        Table { written, writer, texts: Vec::new(), ends: Vec::new() }
    }

    fn end_group(&mut self, buffer: &mut Vec<u8>) -> io::Result<()> {
        let writer = self.writer.as_mut().expect("nothing is pushed behind the end");
        let texts = bytes::Bytes::from(std::mem::take(&mut self.texts));
        let mut start = 0;
        let values: Vec<ByteArray> = std::mem::take(&mut self.ends)
            .into_iter()
            .map(|end| texts.slice(std::mem::replace(&mut start, end)..end).into())
            .collect();
        let mut group = writer.next_row_group()?;
        let mut ids = group.next_column()?.expect("there is one column");
        ids.typed::<ByteArrayType>().write_batch(&values, None, None)?;
        ids.close()?;
        group.close()?;
        buffer.extend(self.written.take());
        Ok(())
    }
}

impl Encode for Table {
    fn push(&mut self, id: u64, buffer: &mut Vec<u8>) -> io::Result<()> {
        self.texts.extend_from_slice(itoa::Buffer::new().format(id).as_bytes());
        self.ends.push(self.texts.len());
        match self.ends.len() {
            GROUP_IDS => self.end_group(buffer),
            _ => Ok(()),
        }
    }

    fn finish(&mut self, buffer: &mut Vec<u8>) -> io::Result<()> {
        if !self.ends.is_empty() {
            self.end_group(buffer)?;
        }
        if let Some(writer) = self.writer.take() {
            writer.close()?;
        }
        buffer.extend(self.written.take());
        Ok(())
    }
}
