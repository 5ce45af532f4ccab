//! Full objects for people, as files that they can use: what an object is, what is said of a file,
//! and how it is written.
//!
//! An [`object::Object`] is what may be shown of one Tweet or User, whatever form its source had.
//! Objects are gathered ([`source`]) in the order of their records, and [`file::write`] makes a
//! CSV, XLSX or PDF file of them, each with the [`cover::Cover`] that says what it is, from where,
//! for whom, and what was left out and why. How people ask for files, and what becomes of them, is
//! told in [`job`]. A [`report`] tells what went to an entity.

pub mod cover;
pub mod file;
pub mod job;
pub mod object;
pub mod report;
pub mod source;
