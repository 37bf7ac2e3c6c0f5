//! Proposing, approving and declining tags of the office's own.

use std::sync::PoisonError;

use ::packs::{Approval, Pack};
use ::rules::Lists;
use ::tags::TagSet;
use serde_json::json;
use spine::declaration_entry;

use super::model::{
    APPROVED, DECLINED, Office, OwnTag, PACK, PROPOSED, ProposalState, REQUIRED, STREAM, TAGS_MAX,
    TEXT_CHARACTERS_MAX, TagProposal, WAITING_MAX, pack_files,
};
use super::read_model::EVENTS_AT_ONCE;
use crate::error::{Error, Kind};
use crate::identity::{Permission, Reader};
use crate::{Customhouse, Fact};

impl Customhouse {
    /// Proposes a tag, in the place of the office's own one of its id if there is one.
    ///
    /// # Errors
    /// `tag_refused` with what is wrong with it, `too_many_proposals`, `too_many_tags`.
    pub fn propose_tag(&self, reader: &Reader, tag: OwnTag) -> Result<TagProposal, Error> {
        reader.require(Permission::ManagePlans)?;
        let office = self.office_of_tags()?;
        self.check(&tag, &office)?;
        self.propose(reader, &office, &tag.id.clone(), Some(tag))
    }

    /// Proposes that one of the office's own tags goes.
    ///
    /// # Errors
    /// `tag_unknown`, `too_many_proposals`.
    pub fn propose_tag_removal(&self, reader: &Reader, id: &str) -> Result<TagProposal, Error> {
        reader.require(Permission::ManagePlans)?;
        let office = self.office_of_tags()?;
        if !office.in_force.contains_key(id) {
            return Err(Error::new(
                Kind::NotFound,
                "tag_unknown",
                format!("the office has no tag \"{id}\" of its own in force"),
                "Look at the office's own tags; those of other packs are changed in their packs.",
            ));
        }
        self.propose(reader, &office, id, None)
    }

    fn propose(
        &self,
        reader: &Reader,
        office: &Office,
        id: &str,
        tag: Option<OwnTag>,
    ) -> Result<TagProposal, Error> {
        let waiting = office.proposals.iter().filter(|own| own.state == ProposalState::Waiting).count();
        if waiting >= WAITING_MAX {
            return Err(Error::new(
                Kind::Conflict,
                "too_many_proposals",
                format!("{waiting} proposals wait already"),
                "Approve or decline some of them first.",
            ));
        }
        let payload = json!({ "id": id, "tag": tag });
        self.record(reader, Fact::new(STREAM, PROPOSED, payload).expecting(office.version))?;
        self.find_proposal(office.version.saturating_add(1))
    }

    /// Approves what another person proposed; from then on it is in force.
    ///
    /// # Errors
    /// `tag_approved_by_same`, `proposal_decided`, `proposal_unknown`, `tag_refused`.
    pub fn approve_tag(&self, reader: &Reader, proposal: u64) -> Result<TagProposal, Error> {
        reader.require(Permission::ManagePlans)?;
        let office = self.office_of_tags()?;
        let known = waiting(&office, proposal)?;
        if known.proposed_by == reader.id {
            return Err(Error::new(
                Kind::Conflict,
                "tag_approved_by_same",
                "you proposed it yourself".to_owned(),
                "Ask another person whose role allows it: two different people put a tag into force.",
            ));
        }
        if let Some(tag) = &known.tag {
            // Other packs may be in use than when it was proposed.
            self.check(tag, &office)?;
        }
        let fact = Fact::new(STREAM, APPROVED, json!({ "proposal": proposal })).expecting(office.version);
        self.record(reader, fact)?;
        self.publish_own_tags(reader)?;
        self.desk().note_waiting();
        self.find_proposal(proposal)
    }

    /// Declines what was proposed, or takes one's own proposal back.
    ///
    /// # Errors
    /// `proposal_decided`, `proposal_unknown`, `reason_missing`.
    pub fn decline_tag(&self, reader: &Reader, proposal: u64, reason: &str) -> Result<TagProposal, Error> {
        reader.require(Permission::ManagePlans)?;
        let reason = reason.trim();
        if !(1..=TEXT_CHARACTERS_MAX).contains(&reason.chars().count()) {
            return Err(Error::new(
                Kind::Invalid,
                "reason_missing",
                "declining needs a reason".to_owned(),
                "Write in a sentence why it is not to be.",
            ));
        }
        let office = self.office_of_tags()?;
        waiting(&office, proposal)?;
        let payload = json!({ "proposal": proposal, "reason": reason });
        self.record(reader, Fact::new(STREAM, DECLINED, payload).expecting(office.version))?;
        self.find_proposal(proposal)
    }

    fn find_proposal(&self, number: u64) -> Result<TagProposal, Error> {
        let office = self.office_of_tags()?;
        office.proposals.into_iter().find(|own| own.number == number).ok_or_else(|| proposal_unknown(number))
    }

    /// Refuses a tag that could not be used.
    fn check(&self, tag: &OwnTag, office: &Office) -> Result<(), Error> {
        let mut problems = text_problems(tag);
        if office.in_force.len() >= TAGS_MAX && !office.in_force.contains_key(&tag.id) {
            problems.push(format!("an office has at most {TAGS_MAX} tags of its own"));
        }
        let files = pack_files(std::iter::once(tag), office.approvals.saturating_add(1));
        match Pack::from_files(files) {
            Ok(pack) => {
                let registry = self.registry.read().unwrap_or_else(PoisonError::into_inner);
                let others: Vec<&Pack> =
                    registry.current().map(AsRef::as_ref).filter(|other| other.manifest.id != PACK).collect();
                let lists = Lists(registry.lists());
                let found = TagSet::findings_of(&pack, &others, &declaration_entry::schema(), &lists);
                problems.extend(found.into_iter().map(|finding| finding.how_to_fix));
            }
            Err(findings) => problems.extend(findings.into_iter().map(|finding| finding.to_string())),
        }
        if problems.is_empty() {
            return Ok(());
        }
        Err(Error::new(
            Kind::Invalid,
            "tag_refused",
            problems.join("\n"),
            "Correct what is named; docs/tags.md describes what a tag needs.",
        ))
    }

    /// Brings the registry's pack of the office's own tags to what the journal says is in force, each step only where it
    /// is missing: what a death cut off is done when the house is opened, or at the next approval.
    pub(crate) fn publish_own_tags(&self, reader: &Reader) -> Result<(), Error> {
        let _alone = self.folder.lock_site()?;
        let office = self.office_of_tags()?;
        let decided = office.proposals.iter().filter(|own| own.state == ProposalState::Approved);
        let Some(last) = decided.max_by_key(|own| own.decided_at) else { return Ok(()) };
        let files = pack_files(office.in_force.values(), office.approvals);
        let pack = Pack::from_files(files)
            .map_err(|findings| Error::internal("own_tags_unreadable", &format!("{findings:?}")))?;
        let (hash, version) = (pack.hash.clone(), pack.manifest.version.to_string());
        self.read_packs_of_others()?;
        let mut registry = self.registry.write().unwrap_or_else(PoisonError::into_inner);
        let report = registry.install_pack(pack)?;
        if report.installed.is_none() {
            let found: Vec<String> = report.findings.iter().map(ToString::to_string).collect();
            return Err(Error::internal("own_tags_refused", &found.join("; ")));
        }
        for person in [Some(&last.proposed_by), last.decided_by.as_ref()].into_iter().flatten() {
            let approval = registry.get_version(PACK, &version).map(|entry| entry.approval.clone());
            let missing = match approval {
                Some(Approval::Draft { approved_by }) => approved_by.as_ref() != Some(person),
                _ => false,
            };
            if missing {
                registry.approve(&hash, person)?;
            }
        }
        drop(registry);
        // By this other processes of the site hear of it.
        let stream = format!("pack/{PACK}");
        if self.last_published(&stream)?.as_deref() != Some(hash.as_str()) {
            let payload = json!({ "id": PACK, "version": version, "hash": hash });
            self.record(reader, Fact::new(&stream, "pack.installed", payload))?;
        }
        Ok(())
    }

    /// The content that the last event of a pack's stream names.
    fn last_published(&self, stream: &str) -> Result<Option<String>, Error> {
        let (mut after, mut hash) = (0, None);
        loop {
            let events = self.journal.read_stream(stream, after, EVENTS_AT_ONCE)?;
            let Some(last) = events.last() else { return Ok(hash) };
            after = last.envelope.stream_version;
            let payload = last.payload.value();
            hash = payload.and_then(|own| Some(own.get("hash")?.as_str()?.to_owned()));
        }
    }
}

fn proposal_unknown(number: u64) -> Error {
    Error::new(
        Kind::NotFound,
        "proposal_unknown",
        format!("there is no proposal {number}"),
        "Look at the list of proposals.",
    )
}

fn waiting(office: &Office, number: u64) -> Result<&TagProposal, Error> {
    let known =
        office.proposals.iter().find(|own| own.number == number).ok_or_else(|| proposal_unknown(number))?;
    if known.state == ProposalState::Waiting {
        return Ok(known);
    }
    Err(Error::new(
        Kind::Conflict,
        "proposal_decided",
        format!("proposal {number} was decided already"),
        "Nothing is left to be done; propose it again to change it.",
    ))
}

fn text_problems(tag: &OwnTag) -> Vec<String> {
    let mut problems = Vec::new();
    let texts =
        [("title", &tag.title), ("description", &tag.description), ("inspection hint", &tag.inspection_hint)];
    let long = |text: &String| text.chars().count() > TEXT_CHARACTERS_MAX;
    if texts.iter().any(|(_, text)| text.0.values().any(long)) || long(&tag.when) || long(&tag.legal_basis) {
        problems.push(format!("a text has at most {TEXT_CHARACTERS_MAX} characters"));
    }
    for (name, text) in texts.iter().filter(|(name, _)| *name != "description") {
        for language in REQUIRED {
            if text.0.get(&language).is_none_or(|text| text.trim().is_empty()) {
                problems.push(format!("the {name} needs a text in {}", language.own_name()));
            }
        }
    }
    if tag.legal_basis.trim().is_empty() {
        problems.push("the legal basis is missing".to_owned());
    }
    problems
}
