//! Every kind of event that the issuance log may hold. `docs/portal-events.md` is made from this list, and webhooks
//! know events by the same names.

use chancery_trail::events;

events! {
    PORTAL_START = "portal.start", "The portal accepts requests.", ["version", "listen"];
    PORTAL_STOP = "portal.stop", "The portal has stopped accepting requests; the last event of an orderly run.", [];

    ORGANISATION_CREATE = "organisation.create", "An organisation was added.", ["organisation", "name"];
    ORGANISATION_UPDATE = "organisation.update", "An organisation was changed; `changed` names the members.", ["organisation", "changed"];
    PRODUCT_CREATE = "product.create", "A product was added.", ["product", "slug", "kind"];
    PRODUCT_UPDATE = "product.update", "A product was changed or archived.", ["product", "slug", "changed"];
    PLAN_CREATE = "plan.create", "A plan was added.", ["plan", "product", "plan_key"];
    PLAN_UPDATE = "plan.update", "A plan was changed or archived; licences keep what they have.", ["plan", "product", "plan_key", "changed"];

    LICENSE_CREATE = "license.create", "A licence was made.", ["license", "product", "environment", "plan_key", "expires_at", "reference"];
    LICENSE_UPDATE = "license.update", "A licence was changed; `changed` names the members.", ["license", "product", "changed", "plan_key"];
    LICENSE_RENEW = "license.renew", "A licence got a later end.", ["license", "product", "from", "expires_at"];
    LICENSE_SUSPEND = "license.suspend", "A licence was suspended.", ["license", "product", "reason"];
    LICENSE_REINSTATE = "license.reinstate", "A suspended licence was reinstated.", ["license", "product"];
    LICENSE_REVOKE = "license.revoke", "A licence was revoked.", ["license", "product", "reason"];
    LICENSE_TRANSFER = "license.transfer", "A licence went to another organisation, and its seats were given back where that was asked for.", ["license", "product", "from", "organisation", "seats_released"];

    ACTIVATION_CREATE = "activation.create", "A device took a seat.", ["activation", "license", "product", "fingerprint", "device_name"];
    ACTIVATION_DEACTIVATE = "activation.deactivate", "A seat was given back.", ["activation", "license", "product", "fingerprint"];

    MACHINE_FILE_ISSUE = "document.machine_file", "A machine file was signed; of a product of kind chancery it has a serial.", ["document", "license", "activation", "serial", "kid", "digest", "expires_at"];
    LICENSE_ISSUE = "document.license", "A licence document was signed for an installation.", ["document", "license", "installation", "serial", "kid", "digest", "expires_at"];
    RESPONSE_ISSUE = "document.response", "An installation's request was answered; `documents` counts what went along.", ["installation", "verdict", "documents", "kid"];
    REVOCATIONS_ISSUE = "document.revocations", "A revocation list was signed.", ["product", "environment", "sequence", "entries", "kid", "digest"];
    REVOCATIONS_FAIL = "document.revocations_failed", "Something was revoked, and no list can be signed that tells of it: it counts on until one is.", ["product", "environment", "reason"];

    SIGNING_KEY_CREATE = "signing_key.create", "A signing key was made or brought.", ["kid", "product", "environment", "origin"];
    SIGNING_KEY_ACTIVATE = "signing_key.activate", "A signing key signs from now on; `from` is the one that it takes over from.", ["kid", "product", "environment", "from"];
    SIGNING_KEY_WITHDRAW = "signing_key.withdraw", "A signing key no longer counts, and its private half was destroyed.", ["kid", "product", "environment", "reason"];
    SIGNING_ROOT_SET = "signing_root.set", "The offline root of a product was made known; `forgotten` counts the manifests of another one that went.", ["kid", "product", "environment", "forgotten"];
    KEY_MANIFEST_TAKE = "key_manifest.take", "A key manifest of the root was taken.", ["product", "environment", "sequence", "keys"];

    INSTALLATION_SEEN = "installation.seen", "An installation registered that was not known before.", ["installation", "installation_key", "product", "environment"];
    INSTALLATION_LINK = "installation.link", "An installation was linked to a licence, and took a seat of it.", ["installation", "license", "by"];
    INSTALLATION_UNLINK = "installation.unlink", "An installation was unlinked, and gave its seat back.", ["installation", "license"];
    INSTALLATION_RETIRE = "installation.retire", "An installation was retired: what it was sent is revoked.", ["installation", "license", "serials"];
    INSTALLATION_CLONE = "installation.clone", "A counter came a second time: the installation was copied or restored from a snapshot.", ["installation", "counter", "seen"];
    INSTALLATION_UNPIN = "installation.unpin", "The key pair of an installation was forgotten, so that its next call pins another.", ["installation", "kid"];

    API_KEY_CREATE = "api_key.create", "An API key was made.", ["api_key", "name", "class", "live", "scopes"];
    API_KEY_REVOKE = "api_key.revoke", "An API key was revoked.", ["api_key", "name"];
    USER_CREATE = "user.create", "A user was added.", ["user", "role"];
    USER_UPDATE = "user.update", "A user was changed, disabled or enabled.", ["user", "changed", "role"];
    WEBHOOK_CREATE = "webhook.create", "A webhook was added.", ["webhook", "host", "events"];
    WEBHOOK_UPDATE = "webhook.update", "A webhook was changed, disabled or enabled.", ["webhook", "changed"];
    WEBHOOK_TEST = "webhook.test", "A test was sent to a webhook; the delivery is of this type.", ["webhook", "delivery"];
    WEBHOOK_REDELIVER = "webhook.redeliver", "A delivery was put in line again.", ["webhook", "delivery"];
    WEBHOOK_FAIL = "webhook.fail", "A delivery was given up after its last attempt.", ["webhook", "delivery", "event", "error"];
}

#[cfg(test)]
mod tests {
    use chancery_trail::{faults, page};

    use super::*;

    const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/portal-events.md");

    #[test]
    fn the_page_lists_every_event() {
        let page = page("Events of the issuance log", "crates/portal/src/events.rs", ALL);
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
