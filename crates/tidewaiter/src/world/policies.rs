//! What decides in the demo: tags on what is unusual in the country's history, standard policies, and a plan fitted on
//! that history, each approved by two people.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use customhouse::identity::Reader;
use customhouse::jobs::JobState;
use customhouse::plans::{FitSpec, PolicyKind};
use customhouse::{Customhouse, Error};
use serde_json::{Value, json};
use spine::Progress;

/// Of a hundred declarations, so many can be looked at.
const CAPACITY_PERCENT: u64 = 12;
/// Share of inspections drawn at random, in parts per million.
const RANDOM_SHARE_PPM: u32 = 100_000;
/// How often it is looked whether the fit is done.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Inspections a day at each office, from the declarations of some days.
pub(super) fn capacities(arrivals: &BTreeMap<String, u64>, days: u64) -> BTreeMap<String, u64> {
    arrivals
        .iter()
        .map(|(office, count)| {
            let per_day = count.saturating_mul(CAPACITY_PERCENT).div_ceil(days.saturating_mul(100).max(1));
            (office.clone(), per_day.max(1))
        })
        .collect()
}

/// Two people.
pub(super) struct Approvers {
    pub(super) analyst: Reader,
    pub(super) chief: Reader,
    pub(super) admin: Reader,
}

impl Approvers {
    fn approve(&self, house: &Customhouse, hash: &str) -> Result<(), Error> {
        house.approve_policy(&self.analyst, hash)?;
        house.approve_policy(&self.chief, hash).map(|_| ())
    }

    /// Brings acceptance and release into force.
    pub(super) fn adopt_standard(&self, house: &Customhouse) -> Result<(), Error> {
        for kind in [PolicyKind::Acceptance, PolicyKind::Release] {
            let policy = house.propose_policy(&self.analyst, kind, house.standard_policy(kind)?)?;
            self.approve(house, &policy.hash)?;
        }
        Ok(())
    }

    /// Makes a pack of what is usual in the history, as an office would, and brings it into force.
    pub(super) fn adopt_usual(
        &self,
        house: &Customhouse,
        folder: &Path,
        progress: &dyn Progress,
    ) -> Result<(), Error> {
        let operator = Reader::local_operator();
        let made = house.usual_in_pool(&operator, folder, progress)?;
        let installed = house.install_pack(&operator, &made.folder)?.installed;
        std::fs::remove_dir_all(folder).map_err(|error| Error::io("folder_unwritable", folder, &error))?;
        for reader in [&operator, &self.admin] {
            if let Some((_, _, hash)) = &installed {
                house.approve_pack(reader, hash)?;
            }
        }
        Ok(())
    }

    /// Fits a plan on history, gives each office its capacity, and brings it into force.
    pub(super) fn adopt_fitted(
        &self,
        house: &Arc<Customhouse>,
        capacities: &BTreeMap<String, u64>,
        progress: &dyn Progress,
    ) -> Result<(), Error> {
        let spec = FitSpec {
            title: "Plan fitted on the country's history (SIMULATED)".to_owned(),
            capacity_per_day: 2,
            random_share_ppm: RANDOM_SHARE_PPM,
        };
        let job = house.start_fit(&self.analyst, spec)?;
        let fitted = loop {
            let status = job.wait(LOOK_EVERY);
            progress.report("fitting_the_plan", status.done, status.total);
            if progress.cancelled() {
                job.cancel();
            }
            match status.state {
                JobState::Running => {}
                JobState::Done { result } => break result,
                JobState::Cancelled => return Err(Error::cancelled()),
                JobState::Failed { code, detail, .. } => return Err(Error::internal(&code, &detail)),
            }
        };
        let mut content = house.find_policy(&self.analyst, &fitted)?.content;
        let offices: serde_json::Map<String, Value> = capacities
            .iter()
            .map(|(office, capacity)| (office.clone(), json!({ "capacity_per_day": capacity })))
            .collect();
        if let Some(plan) = content.as_object_mut() {
            plan.insert("offices".to_owned(), Value::Object(offices));
        }
        let policy = house.propose_policy(&self.analyst, PolicyKind::Selection, content)?;
        house.withdraw_policy(&self.analyst, &fitted, "Every office gets a capacity of its own.")?;
        self.approve(house, &policy.hash)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_office_looks_at_a_share_of_what_comes_and_at_something_in_any_case() {
        let arrivals = [("10".to_owned(), 1_400), ("40".to_owned(), 1)].into();
        assert_eq!(capacities(&arrivals, 14), [("10".to_owned(), 12), ("40".to_owned(), 1)].into());
    }
}
