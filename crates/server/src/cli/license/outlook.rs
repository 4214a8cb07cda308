//! What lies ahead under a state of the store: whether the server starts, and which orders it accepts.
//!
//! The server's own rules are asked, with accounts that are only imagined.

use std::convert::Infallible;

use chancery_cli::Lines;
use chancery_license::Usage;
use serde_json::{Value, json};

use super::{Visit, bracketed};
use crate::licensing::admission::Applicant;
use crate::licensing::basis::Basis;
use crate::licensing::boot::{self, Boot, BootRefusal};
use crate::licensing::snapshot::{Judged, Snapshot};
use crate::licensing::{self, intake};

pub(super) struct Outlook {
    boot: Boot,
    orders: [Order; 3],
}

/// What would become of an order.
struct Order {
    label: &'static str,
    name: &'static str,
    /// Why it would be refused; empty where it would not.
    reasons: Vec<&'static str>,
}

/// An account that orders.
struct Imagined {
    is_renewal: bool,
    is_managed: bool,
    usage: Usage,
}

impl Outlook {
    /// What lies ahead; `judged` is the snapshot's worth at the time of the visit.
    pub(super) fn new(on: &Visit, snapshot: &Snapshot, judged: &Judged<'_>, usage: Usage) -> Self {
        let configuration = on.office.configuration;
        let times = snapshot.record.map(|record| record.times);
        let basis = Basis::new(snapshot, configuration, on.now, times, &on.office.build);
        let order = |label, name, is_renewal, is_managed| {
            let Ok(admitted) = basis.admit(&mut Imagined { is_renewal, is_managed, usage });
            let reasons = admitted.err().map(|denied| denied.reasons()).unwrap_or_default();
            Order { label, name, reasons }
        };
        Self {
            boot: boot::decide(snapshot, judged, configuration, usage),
            orders: [
                order("Of a new account", "new_account", false, false),
                order("Of an account with certificates", "known_account", false, true),
                order("Renewals", "renewal", true, true),
            ],
        }
    }

    /// What a start would come to, on one line.
    pub(super) fn boot(&self) -> String {
        match &self.boot {
            Boot::Conforming => "conforming".to_owned(),
            Boot::ColdStart { window, .. } => {
                format!("cold_start, under the plan {} until {}", window.plan, window.ends_at.to_minutes())
            }
            Boot::Degraded { .. } => "degraded, acknowledged: the server starts with a warning".to_owned(),
            Boot::Refused(BootRefusal::Degraded { .. }) => {
                "degraded, not acknowledged: the server refuses to start".to_owned()
            }
            Boot::Refused(_) => "refused: the server does not start".to_owned(),
        }
    }

    /// Whether the stored acknowledgement is for what is there now.
    pub(super) const fn is_acknowledged(&self) -> bool {
        matches!(self.boot, Boot::Degraded { .. })
    }

    /// Why a start would not be silent; `None` where it would.
    pub(super) fn why(&self, on: &Visit) -> Option<String> {
        match &self.boot {
            Boot::Conforming => None,
            Boot::ColdStart { misfits, .. } if misfits.is_empty() => None,
            Boot::ColdStart { misfits, .. } => Some(licensing::misfit_warning(misfits)),
            Boot::Degraded { reasons, .. } => Some(format!("beyond the licence: {}", intake::list(reasons))),
            Boot::Refused(refusal) => Some(licensing::tell(refusal, &on.config_file()).why),
        }
    }

    /// The commands that help, where the server would not start, each with what it is for.
    pub(super) fn help(&self, on: &Visit) -> Vec<(String, &'static str)> {
        match &self.boot {
            Boot::Refused(refusal) => licensing::tell(refusal, &on.config_file()).help,
            _ => Vec::new(),
        }
    }

    /// The names of those reasons; empty where a start would be silent.
    pub(super) fn reasons(&self, on: &Visit) -> Vec<&'static str> {
        match &self.boot {
            Boot::Conforming => Vec::new(),
            Boot::ColdStart { misfits, .. } => misfits.iter().map(|misfit| misfit.reason()).collect(),
            Boot::Degraded { reasons, .. } => reasons.iter().map(|reason| reason.name()).collect(),
            Boot::Refused(refusal) => licensing::tell(refusal, &on.config_file()).reasons,
        }
    }

    /// What would become of orders.
    pub(super) fn orders(&self) -> Lines {
        let mut lines = Lines::default();
        for Order { label, reasons, .. } in &self.orders {
            match reasons.as_slice() {
                [] => lines.add(label, "accepted"),
                reasons => lines.add(label, format!("refused: {}", bracketed(reasons.iter().copied()))),
            }
        }
        lines
    }

    pub(super) fn boot_json(&self, on: &Visit) -> Value {
        let (outcome, acknowledged) = match &self.boot {
            Boot::Conforming => ("conforming", None),
            Boot::ColdStart { .. } => ("cold_start", None),
            Boot::Degraded { .. } => ("degraded", Some(true)),
            Boot::Refused(BootRefusal::Degraded { .. }) => ("degraded", Some(false)),
            Boot::Refused(_) => ("refused", None),
        };
        json!({
            "outcome": outcome,
            "starts": !matches!(self.boot, Boot::Refused(_)),
            "acknowledged": acknowledged,
            "reasons": self.reasons(on),
            "why": self.why(on),
        })
    }

    pub(super) fn orders_json(&self) -> Value {
        let order = |order: &Order| {
            let outcome = json!({ "accepted": order.reasons.is_empty(), "reasons": order.reasons });
            (order.name.to_owned(), outcome)
        };
        Value::Object(self.orders.iter().map(order).collect())
    }
}

impl Applicant for Imagined {
    type Error = Infallible;

    fn is_renewal(&mut self) -> Result<bool, Infallible> {
        Ok(self.is_renewal)
    }

    fn is_managed(&mut self) -> Result<bool, Infallible> {
        Ok(self.is_managed)
    }

    fn managed_servers(&mut self) -> Result<u64, Infallible> {
        Ok(self.usage.managed_servers)
    }

    fn certificates(&mut self) -> Result<u64, Infallible> {
        Ok(self.usage.certificates)
    }
}
