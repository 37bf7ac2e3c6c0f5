//! Long work in the background: it reports where it stands, can be cancelled, and its end stays readable.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde::Serialize;
use spine::Progress;

use crate::Customhouse;
use crate::error::{Error, Kind};
use crate::identity::{Permission, Reader};

/// Finished jobs kept to be looked at.
const FINISHED_KEPT_MAX: usize = 100;
/// Jobs that may run or wait at once.
const UNFINISHED_MAX: usize = 8;

/// What became of a job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "state")]
pub enum JobState {
    /// At work.
    Running,
    /// Done; `result` names what it made.
    Done {
        /// Id of what the job made, such as an audit or a batch.
        result: String,
    },
    /// Cancelled by someone; nothing half-done is left.
    Cancelled,
    /// Failed.
    Failed {
        /// Stable code.
        code: String,
        /// What happened.
        detail: String,
        /// What to do now.
        how_to_fix: String,
    },
}

/// Where a job stands.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct JobStatus {
    /// Id of the job.
    pub id: u64,
    /// What it does, as a stable name.
    pub kind: &'static str,
    /// Stable snake_case name of the present stage.
    pub stage: &'static str,
    /// Units done in this stage.
    pub done: u64,
    /// Units of this stage; 0 when unknown.
    pub total: u64,
    /// Milliseconds since it began, up to its end.
    pub elapsed_ms: u64,
    /// Milliseconds this stage will still take at its present rate, where that can be said.
    pub remaining_ms: Option<u64>,
    /// What became of it.
    #[serde(flatten)]
    pub state: JobState,
}

#[derive(Debug)]
struct Standing {
    stage: &'static str,
    stage_began: Instant,
    state: JobState,
    ended: Option<Instant>,
}

/// One piece of long work. Its own [`Progress`].
#[derive(Debug)]
pub struct Job {
    id: u64,
    kind: &'static str,
    began: Instant,
    done: AtomicU64,
    total: AtomicU64,
    cancel: AtomicBool,
    standing: Mutex<Standing>,
    changed: Condvar,
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

impl Job {
    fn standing(&self) -> MutexGuard<'_, Standing> {
        self.standing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Id within this process.
    #[must_use]
    pub fn id(&self) -> u64 {
        self.id
    }

    /// Asks the work to stop; it does so at its next bounded check.
    pub fn cancel(&self) {
        self.cancel.store(true, Ordering::Relaxed);
    }

    /// Where it stands now.
    #[must_use]
    pub fn status(&self) -> JobStatus {
        let standing = self.standing();
        let (done, total) = (self.done.load(Ordering::Relaxed), self.total.load(Ordering::Relaxed));
        let end = standing.ended.unwrap_or_else(Instant::now);
        let in_stage = milliseconds(end.duration_since(standing.stage_began));
        let remaining_ms = (standing.state == JobState::Running && done > 0 && total >= done)
            .then(|| in_stage.saturating_mul(total.saturating_sub(done)).checked_div(done))
            .flatten();
        JobStatus {
            id: self.id,
            kind: self.kind,
            stage: standing.stage,
            done,
            total,
            elapsed_ms: milliseconds(end.duration_since(self.began)),
            remaining_ms,
            state: standing.state.clone(),
        }
    }

    /// Waits until the job ended, at most `limit`.
    #[must_use]
    pub fn wait(&self, limit: Duration) -> JobStatus {
        let standing = self.standing();
        drop(
            self.changed
                .wait_timeout_while(standing, limit, |standing| standing.state == JobState::Running)
                .unwrap_or_else(PoisonError::into_inner),
        );
        self.status()
    }

    fn end(&self, result: Result<String, Error>) {
        let mut standing = self.standing();
        standing.state = match result {
            Ok(result) => JobState::Done { result },
            Err(error) if error.kind == Kind::Cancelled => JobState::Cancelled,
            Err(error) => {
                JobState::Failed { code: error.code, detail: error.detail, how_to_fix: error.how_to_fix }
            }
        };
        standing.ended = Some(Instant::now());
        self.changed.notify_all();
    }
}

impl Progress for Job {
    fn report(&self, stage: &'static str, done: u64, total: u64) {
        self.done.store(done, Ordering::Relaxed);
        self.total.store(total, Ordering::Relaxed);
        let mut standing = self.standing();
        if standing.stage != stage {
            standing.stage = stage;
            standing.stage_began = Instant::now();
        }
    }

    fn cancelled(&self) -> bool {
        self.cancel.load(Ordering::Relaxed)
    }
}

/// The jobs of this process.
#[derive(Debug, Default)]
pub struct Jobs {
    jobs: Mutex<VecDeque<Arc<Job>>>,
    next: AtomicU64,
}

impl Jobs {
    fn jobs(&self) -> MutexGuard<'_, VecDeque<Arc<Job>>> {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts `work` on a thread of its own. `work` gets its job as progress and answers with the id of what it made.
    pub fn start(
        &self,
        kind: &'static str,
        work: impl FnOnce(&Job) -> Result<String, Error> + Send + 'static,
    ) -> Result<Arc<Job>, Error> {
        let now = Instant::now();
        let job = Arc::new(Job {
            id: self.next.fetch_add(1, Ordering::Relaxed).saturating_add(1),
            kind,
            began: now,
            done: AtomicU64::new(0),
            total: AtomicU64::new(0),
            cancel: AtomicBool::new(false),
            standing: Mutex::new(Standing {
                stage: "starting",
                stage_began: now,
                state: JobState::Running,
                ended: None,
            }),
            changed: Condvar::new(),
        });
        {
            let mut jobs = self.jobs();
            let unfinished = jobs.iter().filter(|job| job.standing().state == JobState::Running).count();
            if unfinished >= UNFINISHED_MAX {
                return Err(Error::new(
                    Kind::Busy,
                    "too_many_jobs",
                    format!("{unfinished} long tasks are running already"),
                    "Wait until one of them has ended, or cancel one.",
                ));
            }
            while jobs.len() >= FINISHED_KEPT_MAX {
                let Some(oldest) = jobs.iter().position(|job| job.standing().state != JobState::Running)
                else {
                    break;
                };
                jobs.remove(oldest);
            }
            jobs.push_back(Arc::clone(&job));
        }
        let worker = Arc::clone(&job);
        let spawned = std::thread::Builder::new().name(format!("job-{kind}-{}", job.id)).spawn(move || {
            let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| work(&worker)));
            worker.end(outcome.unwrap_or_else(|_| {
                Err(Error::internal("job_stopped", &"the task stopped because of a fault in the program"))
            }));
        });
        if let Err(error) = spawned {
            job.end(Err(Error::internal("no_thread", &error)));
        }
        Ok(job)
    }

    /// The job with that id, while it is remembered.
    pub fn find(&self, id: u64) -> Result<Arc<Job>, Error> {
        self.jobs().iter().find(|job| job.id == id).cloned().ok_or_else(|| {
            Error::new(
                Kind::NotFound,
                "job_unknown",
                format!("there is no task {id}"),
                "It may have ended long ago: look at the list of its results.",
            )
        })
    }

    /// All remembered jobs, the latest first.
    #[must_use]
    pub fn list(&self) -> Vec<JobStatus> {
        self.jobs().iter().rev().map(|job| job.status()).collect()
    }
}

/// What watching a job of a kind takes, and what stopping it where that can be done. Nobody may do anything with a kind
/// that is not named here.
fn permissions(kind: &str) -> Option<(Permission, Option<Permission>)> {
    match kind {
        "admission" => Some((Permission::AdmitRecords, Some(Permission::AdmitRecords))),
        "audit" => Some((Permission::ViewAudits, Some(Permission::RunAudits))),
        // What two people approved is carried out.
        "erasure" => Some((Permission::Erase, None)),
        "fit_plan" => Some((Permission::ViewPlans, Some(Permission::ManagePlans))),
        "register" => Some((Permission::AdmitRecords, Some(Permission::AdmitRecords))),
        "tag_history" => Some((Permission::ViewTags, Some(Permission::ManagePlans))),
        "replay" => Some((Permission::ViewPlans, Some(Permission::ViewPlans))),
        _ => None,
    }
}

impl Customhouse {
    /// The remembered jobs that the reader may watch, the latest first.
    #[must_use]
    pub fn list_jobs(&self, reader: &Reader) -> Vec<JobStatus> {
        let mut jobs = self.jobs().list();
        jobs.retain(|job| permissions(job.kind).is_some_and(|(watch, _)| reader.may(watch)));
        jobs
    }

    /// A job that the reader may watch.
    pub fn find_job(&self, reader: &Reader, id: u64) -> Result<Arc<Job>, Error> {
        let job = self.jobs().find(id)?;
        match permissions(job.kind) {
            Some((watch, _)) => reader.require(watch).map(|()| job),
            None => Err(Error::internal("job_kind_unknown", &job.kind)),
        }
    }

    /// May the reader stop this job?
    #[must_use]
    pub fn may_cancel(&self, reader: &Reader, kind: &str) -> bool {
        permissions(kind).and_then(|(_, stop)| stop).is_some_and(|stop| reader.may(stop))
    }

    /// Asks a job to stop.
    pub fn cancel_job(&self, reader: &Reader, id: u64) -> Result<JobStatus, Error> {
        let job = self.find_job(reader, id)?;
        let Some(stop) = permissions(job.kind).and_then(|(_, stop)| stop) else {
            return Err(Error::new(
                Kind::Refused,
                "job_not_stoppable",
                "this task cannot be stopped",
                "Wait until it has ended.",
            ));
        };
        reader.require(stop)?;
        if job.kind == "tag_history" && job.status().state == JobState::Running {
            // It would begin again by itself.
            self.history.hold()?;
        }
        job.cancel();
        Ok(job.status())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(20);

    #[test]
    fn a_job_tells_where_it_stands_and_what_it_made() {
        let jobs = Jobs::default();
        let job = jobs
            .start("audit", |job| {
                job.report("reading", 50, 100);
                Ok("audit-1".to_owned())
            })
            .unwrap();
        let status = job.wait(LONG);
        assert_eq!((status.stage, status.done, status.total), ("reading", 50, 100));
        assert_eq!(status.state, JobState::Done { result: "audit-1".to_owned() });
        assert_eq!(jobs.list().len(), 1);
    }

    #[test]
    fn a_cancelled_job_ends_as_cancelled() {
        let jobs = Jobs::default();
        let job = jobs
            .start("audit", |job| {
                while !job.cancelled() {
                    std::thread::yield_now();
                }
                Err(Error::cancelled())
            })
            .unwrap();
        job.cancel();
        assert_eq!(job.wait(LONG).state, JobState::Cancelled);
    }

    #[test]
    fn a_fault_in_a_job_ends_that_job_only() {
        let jobs = Jobs::default();
        let job = jobs.start("audit", |_| panic!("a fault")).unwrap();
        assert!(matches!(job.wait(LONG).state, JobState::Failed { .. }));
        let next = jobs.start("audit", |_| Ok("fine".to_owned())).unwrap();
        assert!(matches!(next.wait(LONG).state, JobState::Done { .. }));
    }

    #[test]
    fn more_than_a_few_at_once_are_refused() {
        let jobs = Jobs::default();
        let running: Vec<_> = (0..UNFINISHED_MAX)
            .map(|_| {
                jobs.start("audit", |job| {
                    while !job.cancelled() {
                        std::thread::yield_now();
                    }
                    Err(Error::cancelled())
                })
                .unwrap()
            })
            .collect();
        assert_eq!(jobs.start("audit", |_| Ok(String::new())).unwrap_err().code, "too_many_jobs");
        for job in running {
            job.cancel();
        }
    }
}
