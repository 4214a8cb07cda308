//! Every kind of event that the audit log may hold. `docs/audit-events.md` is made from this list.

chancery_trail::events! {
    SERVER_START = "server.start", "The server accepts requests.", ["version", "build", "listen", "config_sha256", "state"];
    SERVER_STOP = "server.stop", "The server has stopped accepting requests; the last event of an orderly run.", [];

    ACCOUNT_CREATE = "account.create", "An account was made.", ["contacts", "thumbprint"];
    ACCOUNT_UPDATE = "account.update", "The contacts of an account were changed, by itself or by an operator.", ["contacts"];
    ACCOUNT_DEACTIVATE = "account.deactivate", "An account was closed by its owner.", [];
    ACCOUNT_KEY_CHANGE = "account.key_change", "An account got another key; both are thumbprints.", ["from", "to"];
    ACCOUNT_REVOKE = "account.revoke", "An operator revoked an account.", [];

    EAB_CREATE = "eab.create", "An operator made a key for external account bindings.", ["kid", "label", "uses", "expires", "policy"];
    EAB_IMPORT = "eab.import", "An operator brought such a key along from another server.", ["kid", "label", "uses", "expires", "policy"];
    EAB_REVOKE = "eab.revoke", "An operator revoked such a key.", ["kid", "accounts"];
    EAB_USE = "eab.use", "An account was registered with such a key.", ["kid", "uses_left"];
    EAB_REFUSE = "eab.refuse", "A registration was refused, because its external account binding is not believed.", ["kid"];

    ORDER_CREATE = "order.create", "An order was made; `replaces` is the certificate that it says it renews.", ["order", "identifiers", "profile", "replaces"];
    ORDER_INVALID = "order.invalid", "An order that was being issued was given up.", ["order", "error"];
    ORDER_AWAIT_APPROVAL = "order.await_approval", "An order was finalized that a person has to approve.", ["order", "identifiers", "profile"];
    ORDER_APPROVE = "order.approve", "An operator approved an order; `reason` is what was said about it.", ["order", "identifiers", "profile", "reason"];
    ORDER_REJECT = "order.reject", "An operator rejected an order; the client is told the reason.", ["order", "identifiers", "profile", "reason"];
    ORDER_CAA_DENY = "order.caa_deny", "No certificate was made for an order, because CAA records forbid it or cannot be found out; `refused` is of how many names, `errors` has the first five.", ["order", "refused", "errors"];
    AUTHORIZATION_CREATE = "authorization.create", "An account asked for an authorization ahead of any order.", ["authorization", "identifier", "profile", "subdomains"];
    AUTHORIZATION_DEACTIVATE = "authorization.deactivate", "An account gave an authorization up.", ["authorization", "identifier"];
    CHALLENGE_ANSWER = "challenge.answer", "A client said that a challenge can be looked at.", ["challenge", "type", "identifier"];
    CHALLENGE_VALID = "challenge.valid", "A challenge was passed.", ["challenge", "identifier"];
    CHALLENGE_INVALID = "challenge.invalid", "A challenge was failed.", ["challenge", "identifier", "error"];

    CERTIFICATE_ISSUE = "certificate.issue", "A certificate was issued.", ["certificate", "order", "serial", "identifiers", "not_before", "not_after"];
    CERTIFICATE_ISSUE_OWN = "certificate.issue_own", "The server issued a certificate to itself.", ["certificate", "serial", "identifiers", "not_before", "not_after"];
    CERTIFICATE_DISCARD = "certificate.discard", "A certificate was signed and discarded: its order had been settled by another node.", ["certificate", "order"];
    CERTIFICATE_REVOKE = "certificate.revoke", "A certificate was revoked: by the account that ordered it (`account`), by another one that answers for its names (`other_account`), by whoever holds its key (`key`), or by an operator (`operator`).", ["certificate", "serial", "identifiers", "owner", "by", "reason"];
    CERTIFICATE_REVOKE_REJECTED = "certificate.revoke_rejected", "A client asked for the revocation of a certificate that it has no right to, whether there is such a certificate or not.", ["serial", "reason"];

    LIMIT_REACHED = "limit.reached", "A request was refused because of a limit of the configuration; at most once in the time of the limit for each subject and node.", ["limit", "subject", "allowed"];
    ABUSE_BLOCKED = "abuse.blocked", "An address sent too many bad signatures or requests for objects of others, and is refused for a while; as seldom as `limit.reached`.", ["limit", "subject", "allowed"];

    LICENSE_BOOT_REFUSED = "license.boot_refused", "The server refused to start.", ["reasons"];
    LICENSE_BOOT_DEGRADED = "license.boot_degraded", "The server started in a degraded state that is acknowledged.", ["reasons", "hash", "acknowledged_at"];
    LICENSE_ACKNOWLEDGE = "license.acknowledge", "An operator acknowledged a degraded state.", ["reasons", "hash", "hostname"];
    LICENSE_DENY = "license.deny", "An order was refused because of the licence; one event for each refused request.", ["reasons", "limits"];
    LICENSE_CHANGE = "license.change", "The state of the licence changed.", ["from", "to"];
    LICENSE_INSTALL = "license.install", "A document was installed.", ["form", "id", "serial", "plan", "expires", "overruled", "sequence", "revokes_installed"];
    LICENSE_INSTALL_REJECTED = "license.install_rejected", "A document was refused.", ["form", "error"];
    LICENSE_INSTALLATION_MISMATCH = "license.installation_mismatch", "A licence was refused that is bound to another installation.", ["form", "error"];
    LICENSE_REGISTER = "license.register", "An operator registered the installation with the portal, which sent its licence.", ["id", "serial", "plan", "expires"];
    LICENSE_REGISTER_REJECTED = "license.register_rejected", "The installation was not registered, or the licence that came was not taken.", ["form", "error", "reasons"];
    LICENSE_REFRESH_REJECTED = "license.refresh_rejected", "A document that came from the portal was not taken, once for each; or an operator asked the portal, and there was no answer that counts.", ["form", "error", "reasons"];
    LICENSE_UNINSTALL = "license.uninstall", "The licences were removed.", ["documents"];
    LICENSE_FORCE_GRACE = "license.force_grace", "An operator opened the emergency grace.", ["serial", "until"];
    LICENSE_CLOCK_ANCHORED = "license.clock_anchored", "A fresh answer of the portal moved the highest time seen by more than a day.", ["from", "to", "clock"];
    LICENSE_CLOCK_ROLLBACK = "license.clock_rollback", "The clock was found behind the highest time seen.", ["clock", "watermark"];

    COLD_START_INIT = "cold_start.init", "An operator opened a cold-start window.", ["plan", "expires_at", "installation_key"];
    COLD_START_INIT_REJECTED = "cold_start.init_rejected", "No window was opened, because the configuration does not fit the plan.", ["plan", "driver", "configured_cas", "reasons"];
    COLD_START_SWITCH = "cold_start.switch", "An operator changed the plan of the window.", ["from", "plan"];
    COLD_START_SWITCH_REJECTED = "cold_start.switch_rejected", "The plan was not changed, because the configuration does not fit the other one.", ["plan", "driver", "configured_cas", "reasons"];
    COLD_START_EXTEND = "cold_start.extend", "An operator extended the window.", ["plan", "anchor", "cap_at", "expires_at"];
}

#[cfg(test)]
mod tests {
    use chancery_trail::{faults, page};

    use super::*;

    const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/audit-events.md");

    #[test]
    fn the_page_lists_every_event() {
        let page = page("Events of the audit log", "crates/server/src/audit/events.rs", ALL);
        if std::env::var_os("UPDATE_DOCS").is_some() {
            std::fs::write(PAGE, &page).unwrap();
        }
        let written = std::fs::read_to_string(PAGE).unwrap();
        assert_eq!(written, page, "run the tests once with UPDATE_DOCS=1");
    }

    #[test]
    fn names_are_those_of_the_log_and_stand_once() {
        assert_eq!(faults(ALL), [""; 0]);
    }
}
