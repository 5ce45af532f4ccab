//! The walk against its naive twins.
