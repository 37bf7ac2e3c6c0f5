//! Proposing, approving, withdrawing, fitting.

use axum::extract::Path;
use axum::response::{IntoResponse, Redirect};
use customhouse::identity::Permission;
use customhouse::plans::{FitSpec, Plan, PolicyKind};
use customhouse::{Error, Kind};

use crate::failure::Failure;
use crate::jobs;
use crate::visit::{Posted, Visit};

fn number(posted: &Posted, name: &str) -> Result<u32, Failure> {
    posted.text(name).trim().parse().map_err(|_| {
        let found: String = posted.text(name).chars().take(40).collect();
        Failure::from(Error::new(
            Kind::Invalid,
            "number_expected",
            format!("\"{found}\" in the field \"{name}\" is no whole number"),
            "Write a whole number, such as 30.",
        ))
    })
}

/// Proposes the standard policies of the kinds named.
pub(crate) async fn propose(visit: Visit, posted: Posted) -> Result<Redirect, Failure> {
    visit.require(Permission::ManagePlans)?;
    let kinds: Vec<PolicyKind> =
        posted.all("kind").iter().filter_map(|name| PolicyKind::from_name(name)).collect();
    visit
        .work(move |house, reader| {
            for kind in kinds {
                house.propose_policy(reader, kind, house.standard_policy(kind)?)?;
            }
            Ok(())
        })
        .await?;
    Ok(Redirect::to("/plan"))
}

/// Approves a policy.
pub(crate) async fn approve(
    visit: Visit,
    Path(hash): Path<String>,
    _posted: Posted,
) -> Result<Redirect, Failure> {
    visit.work(move |house, reader| house.approve_policy(reader, &hash)).await?;
    Ok(Redirect::to("/plan"))
}

/// Takes a policy back.
pub(crate) async fn withdraw(
    visit: Visit,
    Path(hash): Path<String>,
    posted: Posted,
) -> Result<Redirect, Failure> {
    let why = posted.text("why").to_owned();
    visit.work(move |house, reader| house.withdraw_policy(reader, &hash, &why)).await?;
    Ok(Redirect::to("/plan"))
}

/// Fits weights on history.
pub(crate) async fn fit(visit: Visit, posted: Posted) -> Result<Redirect, Failure> {
    visit.require(Permission::ManagePlans)?;
    let share = number(&posted, "share")?;
    let spec = FitSpec {
        title: posted.text("title").trim().to_owned(),
        capacity_per_day: number(&posted, "capacity")?,
        random_share_ppm: share.saturating_mul(10_000),
    };
    let job = visit.work(move |house, reader| house.start_fit(reader, spec)).await?;
    Ok(jobs::follow(job.status().id))
}

/// Proposes the plan in force with another capacity.
pub(crate) async fn capacity(visit: Visit, posted: Posted) -> Result<impl IntoResponse, Failure> {
    visit.require(Permission::ManagePlans)?;
    let (capacity, office) = (number(&posted, "capacity")?, posted.text("office").trim().to_owned());
    let policy = visit
        .work(move |house, reader| {
            let in_force = house.plans(reader)?.plan.ok_or_else(|| {
                Error::new(
                    Kind::Conflict,
                    "no_plan_in_force",
                    "no plan of selection is in force",
                    "Propose the standard plan first, and have two people approve it.",
                )
            })?;
            let plan = with_capacity(
                in_force,
                &office,
                capacity,
                &house.now().strftime("%Y-%m-%d.%H%M%S").to_string(),
            );
            let content =
                serde_json::to_value(&plan).map_err(|error| Error::internal("plan_unwritable", &error))?;
            house.propose_policy(reader, PolicyKind::Selection, content)
        })
        .await?;
    Ok(super::back(&format!("/plan/policies/{}", policy.hash)))
}

fn with_capacity(mut plan: Plan, office: &str, capacity: u32, version: &str) -> Plan {
    version.clone_into(&mut plan.version);
    if office.is_empty() {
        plan.capacity_per_day = capacity;
    } else {
        plan.offices
            .entry(office.to_owned())
            .or_insert(customhouse::plans::OfficePlan { capacity_per_day: 0 })
            .capacity_per_day = capacity;
    }
    plan
}
