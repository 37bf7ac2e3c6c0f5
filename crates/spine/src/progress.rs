//! How long work tells its listener where it stands, and learns that it should stop.

/// Listener of long work. Calls may come from several threads.
pub trait Progress: Sync {
    /// `stage` is a stable snake_case name; `done` of `total` units; a `total` of 0 means unknown.
    fn report(&self, stage: &'static str, done: u64, total: u64);

    /// Asked at bounded intervals; once true, the work stops without leaving half results.
    fn cancelled(&self) -> bool {
        false
    }
}

/// Nobody listens and nobody cancels.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Progress for Silent {
    fn report(&self, _stage: &'static str, _done: u64, _total: u64) {}
}
