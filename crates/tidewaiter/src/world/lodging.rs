//! Declarants hand their declarations in: as programs do, many at once, some as JSON and some as XML.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use country::DeclaredConsignment;
use customhouse::declarations::{Channel, Form, LodgeRequest, Receipt};
use customhouse::identity::{Reader, Role};
use customhouse::{Customhouse, Error, Kind, offline};

use super::people::of_declaration;
use crate::made_up;

/// One declaration in so many comes as XML.
const XML_EVERY: u64 = 3;
/// How long a receipt is waited for: far longer than any takes.
const RECEIPT_WAIT: Duration = Duration::from_secs(60);
/// How long to wait for a place at the desk.
const BUSY_WAIT: Duration = Duration::from_millis(20);

/// What came of a declaration, with the truth about it.
pub(super) type Lodged = (DeclaredConsignment, Result<Receipt, Error>);

/// The way to the desk and back.
pub(super) struct Lodging {
    sender: Sender<Lodged>,
    receiver: Receiver<Lodged>,
    under_way: usize,
}

/// Whoever acts for a party.
pub(super) fn trader(party: &str) -> Reader {
    Reader::new(party, Role::Trader).of_party(Some(party))
}

impl Lodging {
    pub(super) fn new() -> Self {
        let (sender, receiver) = channel();
        Self { sender, receiver, under_way: 0 }
    }

    /// Hands a declaration in; its receipt comes later.
    pub(super) fn hand_in(
        &mut self,
        house: &Customhouse,
        consignment: DeclaredConsignment,
    ) -> Result<(), Error> {
        let own = |field: &str| of_declaration(&consignment, field);
        let reference = own("declaration_id").unwrap_or_default();
        let party = own("declarant_id").or_else(|| own("importer_id")).unwrap_or_default();
        let declaration = made_up::declaration(&reference, &consignment.items);
        let xml = consignment.number.is_multiple_of(XML_EVERY);
        let (form, bytes) = if xml {
            (Form::DmsXml, offline::declaration_as_dms(&declaration))
        } else {
            (Form::Json, offline::declaration_as_json(&declaration))
        };
        loop {
            let (sender, truth) = (self.sender.clone(), consignment.clone());
            let request = LodgeRequest { bytes: bytes.clone(), form: Some(form), channel: Channel::Api };
            let reply = Box::new(move |receipt| {
                // A world that has ended needs no receipt.
                let _ = sender.send((truth, receipt));
            });
            match house.lodge_then(&trader(&party), request, reply) {
                Ok(()) => break,
                Err(error) if error.kind == Kind::Busy => std::thread::sleep(BUSY_WAIT),
                Err(error) => return Err(error),
            }
        }
        self.under_way = self.under_way.saturating_add(1);
        Ok(())
    }

    /// A receipt that has come by now.
    pub(super) fn come(&mut self) -> Option<Lodged> {
        let lodged = self.receiver.try_recv().ok()?;
        self.under_way = self.under_way.saturating_sub(1);
        Some(lodged)
    }

    /// The next receipt; `None` when nothing is under way.
    pub(super) fn next(&mut self) -> Option<Lodged> {
        if self.under_way == 0 {
            return None;
        }
        let lodged = self.receiver.recv_timeout(RECEIPT_WAIT).ok()?;
        self.under_way = self.under_way.saturating_sub(1);
        Some(lodged)
    }
}
