//! Proposing, approving and withdrawing policies; fitting a plan on history.

use std::sync::PoisonError;

use selection::Plan;
use serde_json::{Value, json};

use super::model::{Policy, PolicyKind};
use super::policy::{APPROVED, PROPOSED, WITHDRAWN, check, stream};
use crate::error::{Error, Kind};
use crate::identity::{Permission, Reader};
use crate::{Customhouse, Fact};

impl Customhouse {
    /// What ships with the program, to be proposed as it is or changed.
    pub fn standard_policy(&self, kind: PolicyKind) -> Result<Value, Error> {
        match kind {
            PolicyKind::Acceptance => Ok(acceptance()),
            PolicyKind::Release => Ok(release()),
            PolicyKind::Selection => serde_json::to_value(self.base_plan()?)
                .map_err(|error| Error::internal("plan_unwritable", &error)),
        }
    }

    /// The plan for a site without history.
    pub(super) fn base_plan(&self) -> Result<Plan, Error> {
        let registry = self.registry();
        let entry =
            registry.get("base-plan").ok_or_else(|| Error::internal("base_plan_missing", &"base-plan"))?;
        let text = registry
            .content(entry)?
            .files
            .iter()
            .find(|(path, _)| path.ends_with("plan.toml"))
            .map(|(_, bytes)| String::from_utf8_lossy(bytes).into_owned())
            .ok_or_else(|| Error::internal("base_plan_missing", &"plan.toml"))?;
        toml::from_str(&text).map_err(|error| Error::internal("base_plan_unreadable", &error.message()))
    }

    /// Proposes a policy. The same content proposed again is the policy it already is.
    pub fn propose_policy(&self, reader: &Reader, kind: PolicyKind, content: Value) -> Result<Policy, Error> {
        reader.require(Permission::ManagePlans)?;
        let hash = check(kind, &content)?;
        let mut policies = self.policies.write().unwrap_or_else(PoisonError::into_inner);
        let open = policies.find(&hash).is_some_and(|known| known.ended_at.is_none());
        if !open {
            let payload = json!({ "kind": kind, "hash": hash, "content": content });
            let fact = Fact::new(&stream(kind), PROPOSED, payload).expecting(policies.version(kind));
            self.record(reader, fact)?;
            policies.follow(self.journal.as_ref())?;
        }
        drop(policies);
        self.desk().note_waiting();
        self.find_policy(reader, &hash)
    }

    /// Approves a policy; the second different person brings it into force.
    pub fn approve_policy(&self, reader: &Reader, hash: &str) -> Result<Policy, Error> {
        reader.require(Permission::ManagePlans)?;
        let mut policies = self.policies.write().unwrap_or_else(PoisonError::into_inner);
        let known = policies.find(hash).ok_or_else(|| policy_unknown(hash))?;
        let (kind, hash) = (known.kind, known.hash.clone());
        let refused = if known.ended_at.is_some() {
            Some(("policy_ended", "it was withdrawn, or another took its place", "Propose it again."))
        } else if known.approved_by.contains(&reader.id) {
            let remedy = "Ask another person whose role allows it: two different people approve a policy.";
            Some(("policy_approved_by_same", "you approved it already", remedy))
        } else if known.approved_by.len() >= 2 {
            Some(("policy_in_force", "two people approved it already", "Nothing is left to be done."))
        } else {
            None
        };
        if let Some((code, detail, remedy)) = refused {
            return Err(Error::new(Kind::Conflict, code, detail, remedy));
        }
        let fact =
            Fact::new(&stream(kind), APPROVED, json!({ "hash": hash })).expecting(policies.version(kind));
        self.record(reader, fact)?;
        policies.follow(self.journal.as_ref())?;
        drop(policies);
        self.desk().note_waiting();
        self.find_policy(reader, &hash)
    }

    /// Takes a policy back. What it decided stays decided; what comes in waits for another or for officers.
    pub fn withdraw_policy(&self, reader: &Reader, hash: &str, why: &str) -> Result<Policy, Error> {
        reader.require(Permission::ManagePlans)?;
        if why.trim().is_empty() {
            return Err(Error::new(Kind::Invalid, "reason_missing", "no reason is given", "Say why."));
        }
        let mut policies = self.policies.write().unwrap_or_else(PoisonError::into_inner);
        let known = policies.find(hash).ok_or_else(|| policy_unknown(hash))?;
        let (kind, hash) = (known.kind, known.hash.clone());
        if known.ended_at.is_none() {
            let payload = json!({ "hash": hash, "why": why.trim() });
            let fact = Fact::new(&stream(kind), WITHDRAWN, payload).expecting(policies.version(kind));
            self.record(reader, fact)?;
            policies.follow(self.journal.as_ref())?;
        }
        drop(policies);
        self.desk().note_waiting();
        self.find_policy(reader, &hash)
    }
}

pub(super) fn policy_unknown(hash: &str) -> Error {
    Error::new(
        Kind::NotFound,
        "policy_unknown",
        format!("there is no policy \"{hash}\""),
        "Look at the list of policies for their hashes.",
    )
}

fn texts(en: &str, zh: &str, fr: &str, es: &str) -> Value {
    json!({ "en": en, "zh": zh, "fr": fr, "es": es })
}

fn how_to_contest() -> Value {
    texts(
        "Contest this decision on the page of the declaration, or in writing to the office named there. An officer who did not make it answers.",
        "可在该报关单页面对本决定提出异议，或书面向页面所列海关提出。由未作出该决定的关员答复。",
        "Contestez cette décision sur la page de la déclaration, ou par écrit auprès du bureau qui y est indiqué. Un agent qui ne l'a pas prise répond.",
        "Impugne esta decisión en la página de la declaración, o por escrito ante la oficina indicada en ella. Responde un funcionario que no la tomó.",
    )
}

fn acceptance() -> Value {
    json!({
        "title": texts("Standard acceptance", "标准接受政策", "Acceptation standard", "Aceptación estándar"),
        "legal_basis": "WCO Revised Kyoto Convention, General Annex, Standards 3.11 to 3.30",
        "reason": texts(
            "The declaration is complete and consistent as far as it can be seen without examination.",
            "在未经查验所能判断的范围内，报关单完整且一致。",
            "La déclaration est complète et cohérente pour autant qu'on puisse en juger sans examen.",
            "La declaración está completa y es coherente en la medida en que puede verse sin examen."),
        "how_to_contest": how_to_contest(),
    })
}

fn release() -> Value {
    json!({
        "title": texts("Standard release", "标准放行政策", "Mainlevée standard", "Levante estándar"),
        "legal_basis": "WCO Revised Kyoto Convention, General Annex, Standards 3.40 to 3.43",
        "reason": texts(
            "Nothing stands against the release of the goods.",
            "没有妨碍货物放行的情况。",
            "Rien ne s'oppose à la mainlevée des marchandises.",
            "Nada se opone al levante de las mercancías."),
        "how_to_contest": how_to_contest(),
        "deadlines": clearance::Deadlines::default(),
    })
}
