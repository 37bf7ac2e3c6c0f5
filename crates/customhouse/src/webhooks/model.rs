//! Webhooks, what was sent to them, and what came of it.

use jiff::Timestamp;
use serde::Serialize;

use super::address::Target;

/// How a webhook stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum WebhookState {
    /// Notifications are sent as they come.
    Active,
    /// Somebody stopped it; what comes meanwhile waits.
    Paused,
    /// A notification was not taken for three days, or the receiver said that it is gone: what comes waits.
    GivenUp,
}

impl WebhookState {
    /// Stable name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Paused => "paused",
            Self::GivenUp => "given_up",
        }
    }

    pub(super) fn from_name(name: &str) -> Self {
        // What this version does not know is not sent to.
        [Self::Active, Self::GivenUp].into_iter().find(|state| state.name() == name).unwrap_or(Self::Paused)
    }
}

/// An address to which the notifications of a party are pushed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Webhook {
    /// Id.
    pub id: String,
    /// Whose notifications.
    pub party: String,
    /// Where to.
    pub url: String,
    /// How it stands.
    pub state: WebhookState,
    /// When it was made, by the house's clock.
    pub made_at: Timestamp,
    /// Until when signatures under the secret before this one are sent too, by the house's clock.
    pub earlier_secret_until: Option<Timestamp>,
    /// Tries of the notification that is next; 0: it was not sent yet, or nothing waits.
    pub tries: u32,
    /// When it is tried again, where it was tried before.
    pub next_try_at: Option<Timestamp>,
}

/// A notification that was sent, or tried to be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DeliveryShown {
    /// Id of the notification: the header `webhook-id`.
    pub message: String,
    /// The declaration that it is about; empty for a test.
    pub mrn: String,
    /// Its function code; empty for a test.
    pub function_code: String,
    /// When it was issued.
    pub issued_at: Timestamp,
    /// How often it was sent.
    pub tries: u32,
    /// When it was last sent; `None`: not yet.
    pub tried_at: Option<Timestamp>,
    /// HTTP status of the last answer.
    pub status: Option<u16>,
    /// What went wrong with the last try.
    pub trouble: Option<String>,
    /// How long the last try took.
    pub milliseconds: Option<u64>,
    /// What became of it.
    pub fate: Fate,
}

/// What became of a notification.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Fate {
    /// It will be sent, perhaps again.
    Waits,
    /// It was taken.
    Delivered,
    /// Somebody said to go on without it.
    Skipped,
    /// A test that was not taken.
    Failed,
}

impl Fate {
    /// Stable name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Waits => "waits",
            Self::Delivered => "delivered",
            Self::Skipped => "skipped",
            Self::Failed => "failed",
        }
    }

    pub(super) fn from_name(name: &str) -> Self {
        [Self::Delivered, Self::Skipped, Self::Failed]
            .into_iter()
            .find(|fate| fate.name() == name)
            .unwrap_or(Self::Waits)
    }
}

/// Something that is to be sent now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// The webhook.
    pub webhook: String,
    /// Where to.
    pub target: Target,
    /// Header `webhook-id`: the same at every try.
    pub message: String,
    /// Header `webhook-timestamp`: seconds since 1970 of the operating system's clock, for receivers compare it with
    /// theirs.
    pub second: i64,
    /// Header `webhook-signature`.
    pub signature: String,
    /// What is sent.
    pub body: String,
    pub(super) position: u64,
    pub(super) mrn: String,
    pub(super) function_code: String,
    pub(super) issued_at: Timestamp,
    pub(super) test: bool,
}

/// What came of one try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outcome {
    /// HTTP status, if an answer began.
    pub status: Option<u16>,
    /// What went wrong; `None`: it was taken.
    pub trouble: Option<Trouble>,
    /// How long it took.
    pub milliseconds: u64,
}

/// Why a notification was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// The host's name leads to no address.
    NameUnknown,
    /// It leads to an address to which we do not go.
    Inwards,
    /// Nobody listens there.
    NotConnected,
    /// There is no TLS, or its certificate is not one for this host.
    NotSecure,
    /// No answer in time.
    TimedOut,
    /// The answer broke off.
    BrokenOff,
    /// The answer points elsewhere, and we do not follow.
    Redirected,
    /// The answer is neither of that nor says that it was taken.
    Refused,
}

impl Trouble {
    /// Stable name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::NameUnknown => "name_unknown",
            Self::Inwards => "inwards",
            Self::NotConnected => "not_connected",
            Self::NotSecure => "not_secure",
            Self::TimedOut => "timed_out",
            Self::BrokenOff => "broken_off",
            Self::Redirected => "redirected",
            Self::Refused => "refused",
        }
    }

    /// What a status says; `None`: the notification was taken.
    #[must_use]
    pub fn of_status(status: u16) -> Option<Self> {
        match status {
            200..=299 => None,
            300..=399 => Some(Self::Redirected),
            _ => Some(Self::Refused),
        }
    }
}
