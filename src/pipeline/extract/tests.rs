//! Every format, every split, every damage.
