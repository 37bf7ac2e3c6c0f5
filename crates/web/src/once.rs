//! Answers that everybody may ask for, worked out once in a while however many ask: look-ups of the public never reach
//! what clears goods.

use std::sync::Arc;
use std::time::{Duration, Instant};

use customhouse::Error;
use tokio::sync::Mutex;

/// An answer that is kept for a while.
#[derive(Debug)]
pub(crate) struct Kept<T> {
    age_max: Duration,
    answer: Mutex<Option<(Instant, Arc<T>)>>,
}

impl<T> Kept<T> {
    /// Nothing is known yet; an answer is kept for so long.
    pub(crate) fn new(age_max: Duration) -> Self {
        Self { age_max, answer: Mutex::new(None) }
    }

    /// The answer, worked out anew where it is too old. Whoever asks meanwhile waits for that one and gets the same.
    pub(crate) async fn get(&self, make: impl Future<Output = Result<T, Error>>) -> Result<Arc<T>, Error> {
        let mut answer = self.answer.lock().await;
        if let Some((at, known)) = &*answer
            && at.elapsed() < self.age_max
        {
            return Ok(Arc::clone(known));
        }
        let made = Arc::new(make.await?);
        *answer = Some((Instant::now(), Arc::clone(&made)));
        Ok(made)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use customhouse::Kind;

    use super::*;

    #[tokio::test]
    async fn a_thousand_who_ask_at_once_cost_one_answer_and_a_failure_is_not_kept() {
        let kept = Arc::new(Kept::new(Duration::from_secs(3_600)));
        let failed = kept.get(async { Err(Error::new(Kind::Busy, "x", "x", "x")) }).await;
        assert!(failed.is_err());
        let asked = Arc::new(AtomicU32::new(0));
        let tasks: Vec<_> = (0..1_000)
            .map(|_| {
                let (kept, asked) = (Arc::clone(&kept), Arc::clone(&asked));
                tokio::spawn(
                    async move { kept.get(async { Ok(asked.fetch_add(1, Ordering::Relaxed)) }).await },
                )
            })
            .collect();
        for task in tasks {
            assert_eq!(*task.await.unwrap().unwrap(), 0);
        }
        assert_eq!(asked.load(Ordering::Relaxed), 1);
        let never = Kept::new(Duration::ZERO);
        for wanted in 0..3_u32 {
            assert_eq!(*never.get(async { Ok(wanted) }).await.unwrap(), wanted);
        }
    }
}
