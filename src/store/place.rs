//! Where a store is: a database file or a database server, and how that is written.

use std::fmt;
use std::path::{Path, PathBuf};

use super::{Address, NotAnAddress};

/// Where a store is.
#[derive(Clone, Debug)]
pub enum Place {
    /// In a database file.
    File(PathBuf),
    /// On a database server.
    Server(Address),
}

/// Why a text says nowhere that a store could be.
#[derive(Clone, Debug, thiserror::Error)]
pub enum NotAPlace {
    /// It begins like none.
    #[error("it begins neither with `sqlite:` and a path nor with `postgres://`")]
    Unknown,
    /// It names no file.
    #[error("it names no file: write `sqlite:/var/lib/hydrant/hydrant.sqlite`")]
    NoPath,
    /// The address of the server is not right.
    #[error(transparent)]
    Address(#[from] NotAnAddress),
}

impl Place {
    /// Reads `sqlite:PATH` or `postgres://…`.
    ///
    /// # Errors
    /// [`NotAPlace`].
    pub fn parse(text: &str) -> Result<Place, NotAPlace> {
        if let Some(path) = text.strip_prefix("sqlite:") {
            if path.is_empty() || path.contains('\0') {
                return Err(NotAPlace::NoPath);
            }
            return Ok(Place::File(PathBuf::from(path)));
        }
        if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            return Ok(Place::Server(Address::parse(text)?));
        }
        Err(NotAPlace::Unknown)
    }

    /// The same place, for the gateway of that name where there can be several.
    #[must_use]
    pub fn for_instance(self, name: &str) -> Place {
        match self {
            Place::File(path) => Place::File(path),
            Place::Server(address) => Place::Server(address.for_instance(name)),
        }
    }

    /// The database file, if it is one.
    pub fn file(&self) -> Option<&Path> {
        match self {
            Place::File(path) => Some(path),
            Place::Server(_) => None,
        }
    }
}

/// Without a password.
impl fmt::Display for Place {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::File(path) => write!(out, "sqlite:{}", path.display()),
            Place::Server(address) => write!(out, "{address}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_a_file_or_a_server() {
        for (text, expected) in [
            ("sqlite:data/x.sqlite", Ok("sqlite:data/x.sqlite")),
            ("postgres://ada:secret@db.example/h", Ok("postgres://db.example:5432/h")),
            ("postgresql://db.example:1/h", Ok("postgres://db.example:1/h")),
            ("sqlite:", Err("names no file")),
            ("mysql://db.example/h", Err("begins neither")),
            ("data/x.sqlite", Err("begins neither")),
            ("postgres:///h", Err("names no host")),
        ] {
            let found = Place::parse(text).map(|place| place.to_string());
            match (found.map_err(|error| error.to_string()), expected) {
                (Ok(found), Ok(expected)) => assert_eq!(found, expected),
                (Err(found), Err(expected)) => assert!(found.contains(expected), "{found}"),
                (found, expected) => panic!("{text}: {found:?}, not {expected:?}"),
            }
        }
    }
}
