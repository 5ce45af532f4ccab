//! Wrappings of every kind, nested and cut.
