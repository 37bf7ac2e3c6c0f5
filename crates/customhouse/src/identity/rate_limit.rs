//! How often someone may try to sign in: per account and per address, so that neither guessing one password many
//! times nor one password on many accounts gets far.

use std::collections::HashMap;

/// Failures allowed in a row before waiting starts.
const FREE_FAILURES: u32 = 5;
/// The first wait; it doubles with every further failure.
const FIRST_WAIT_SECONDS: i64 = 5;
/// The longest wait.
const WAIT_SECONDS_MAX: i64 = 15 * 60;
/// Keys remembered at once; beyond, the oldest are forgotten.
const KEYS_MAX: usize = 100_000;

#[derive(Debug, Clone, Copy)]
struct Failures {
    count: u32,
    last_second: i64,
}

impl Failures {
    fn wait_seconds(self) -> i64 {
        let over = self.count.saturating_sub(FREE_FAILURES);
        if over == 0 {
            return 0;
        }
        let doublings = over.saturating_sub(1).min(20);
        FIRST_WAIT_SECONDS.saturating_mul(1_i64 << doublings).min(WAIT_SECONDS_MAX)
    }
}

/// Failed attempts by key. Seconds are those of any clock that does not run backwards.
#[derive(Debug, Default)]
pub(super) struct RateLimit {
    failures: HashMap<String, Failures>,
}

impl RateLimit {
    /// Seconds to wait before `key` may try again; 0 means now.
    pub(super) fn wait_seconds(&self, key: &str, now_second: i64) -> i64 {
        self.failures.get(key).map_or(0, |failures| {
            let until = failures.last_second.saturating_add(failures.wait_seconds());
            until.saturating_sub(now_second).max(0)
        })
    }

    pub(super) fn failed(&mut self, key: &str, now_second: i64) {
        if self.failures.len() >= KEYS_MAX && !self.failures.contains_key(key) {
            self.failures
                .retain(|_, failures| now_second.saturating_sub(failures.last_second) < WAIT_SECONDS_MAX);
            if self.failures.len() >= KEYS_MAX {
                self.failures.clear();
            }
        }
        let failures =
            self.failures.entry(key.to_owned()).or_insert(Failures { count: 0, last_second: now_second });
        failures.count = failures.count.saturating_add(1);
        failures.last_second = now_second;
    }

    pub(super) fn succeeded(&mut self, key: &str) {
        self.failures.remove(key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_failures_are_free_then_waiting_doubles_up_to_a_quarter_of_an_hour() {
        let mut limit = RateLimit::default();
        let mut waits = Vec::new();
        for _ in 0..16 {
            limit.failed("someone", 1_000);
            waits.push(limit.wait_seconds("someone", 1_000));
        }
        assert_eq!(waits, [0, 0, 0, 0, 0, 5, 10, 20, 40, 80, 160, 320, 640, 900, 900, 900]);
        assert_eq!(limit.wait_seconds("someone", 1_900), 0);
        assert_eq!(limit.wait_seconds("another", 1_000), 0);
        limit.succeeded("someone");
        assert_eq!(limit.wait_seconds("someone", 1_000), 0);
    }
}
