//! customhouse
