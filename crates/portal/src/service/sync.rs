//! The call of an installation: what it counts comes in, and the newest documents go out.
//!
//! The request is signed by the installation's key pair. The first one to come with an installation key pins its
//! public half; later ones have to bring the same. The response is signed by the product's signing key and bound to the
//! nonce of the request, so that it cannot be replayed.

use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use chancery_db::WriteTx;
use chancery_license::document::{DocumentError, Verified};
use chancery_license::exchange::{Request, Response, Verdict, open_request};
use chancery_license::manifest::Use;
use chancery_license::{
    Configuration, Document, Environment, InstallationKey, License as LicenseBody, Misfit, SigningKey, Usage,
    seal,
};
use chancery_time::Timestamp;
use serde_json::json;

use super::installations::{Ids, link_in, new_row, retired};
use super::particulars::{Particulars, incomplete, next_serial};
use super::{Failure, Note, Office, manifests, revocations, signing};
use crate::api::installation::InstallationSync;
use crate::domain::{Actor, Code, Permissions, Refusal, Status};
use crate::events;
use crate::id::IdKind;
use crate::store::documents::{self, DocumentKind, NewDocument, SentDocument};
use crate::store::installations::{self, Installation};
use crate::store::licenses::License;
use crate::store::products::{Kind, Product};
use crate::store::{licenses, products, signing_keys};
use crate::vault::Purpose;

/// A machine's clock may be that far behind, so that a document counts there for as much longer.
const CLOCK_MARGIN: Duration = Duration::from_secs(86_400);
/// How long until a second copy of an installation is noted again.
const CLONE_REMINDER: Duration = Duration::from_secs(3_600);

/// A request that was verified, and the product that it is about.
#[derive(Clone)]
struct Asked {
    product: Product,
    environment: Environment,
    request: Request,
}

/// Answers the call of an installation.
///
/// # Errors
/// A request that does not verify; a key pair other than the one that is pinned; and where the request wants to
/// register, what keeps it from that. A licence that has ended or was revoked is no error: the verdict says so.
pub(crate) async fn answer(office: &Office, path_key: &str, text: &str) -> Result<InstallationSync, Failure> {
    let path_key: InstallationKey =
        path_key.parse().map_err(|error| Refusal::field("installation_key", error))?;
    let asked = verify(office, text).await?;
    if asked.request.installation_key != path_key {
        let message = "the request is of another installation than the path";
        return Err(Refusal::field("request", message).into());
    }
    let (ids, document_id) = (Ids::fresh()?, IdKind::Document.fresh()?);
    office
        .write(move |office, tx| {
            let call =
                Call { office, asked: &asked, ids: &ids, document_id: &document_id, now: office.now() };
            call.answer(tx)
        })
        .await
}

/// Verifies a request against every product that has installations: usually one.
async fn verify(office: &Office, text: &str) -> Result<Asked, Failure> {
    let products = office.read(|_, tx| Ok(products::of_kind(tx, Kind::Chancery)?)).await?;
    let mut refused = None;
    for product in products {
        match open_request(text, &product.slug) {
            Ok(verified) => return Ok(asked(product, verified)),
            Err(error @ DocumentError::WrongProduct { .. }) => refused = Some(error),
            Err(error) => return Err(Refusal::field("request", error).into()),
        }
    }
    Err(match refused {
        Some(error) => Refusal::new(Code::ProductNotFound, error.to_string()).into(),
        None => Refusal::new(Code::ProductNotFound, "this portal has no product with installations").into(),
    })
}

fn asked(product: Product, verified: Verified<Request>) -> Asked {
    let document = verified.into_document();
    Asked { product, environment: document.environment, request: document.body }
}

/// One call, while it is answered.
struct Call<'a> {
    office: &'a Office,
    asked: &'a Asked,
    ids: &'a Ids,
    document_id: &'a str,
    now: Timestamp,
}

impl Call<'_> {
    fn answer(&self, tx: &mut WriteTx<'_>) -> Result<InstallationSync, Failure> {
        let Asked { product, environment, request } = self.asked;
        let key = signing::issuing_key(self.office, tx, product, *environment, Use::License, self.now)?;
        let manifests = manifests::newer_than(tx, product, *environment, request.held.keys)?;
        let mut documents: Vec<String> =
            revocations::newer_than(tx, product, *environment, request.held.revocations)?
                .into_iter()
                .collect();
        let mut warnings = Vec::new();
        let verdict = match self.row(tx)? {
            Some(mut row) => self.meet(tx, &mut row, &key, &mut documents, &mut warnings)?,
            // Nothing is kept of whoever makes up an installation key.
            None => Verdict::Unlinked,
        };
        if !documents.is_empty() {
            let details = json!({
                "installation": request.installation_key,
                "verdict": verdict.name(),
                "documents": documents.len(),
                "kid": key.public().id().to_string(),
            });
            self.note(tx, events::RESPONSE_ISSUE, details)?;
        }
        let response = Response {
            installation_key: request.installation_key.clone(),
            nonce: request.nonce,
            counter: request.counter,
            verdict,
            documents,
            warnings,
        };
        let sealed = seal(&self.document(response), &[&key]);
        Ok(InstallationSync::new(manifests, sealed.map_err(anyhow::Error::from)?))
    }

    /// The installation: as it was known before, or new where it wants to register.
    fn row(&self, tx: &mut WriteTx<'_>) -> Result<Option<Installation>, Failure> {
        let Asked { product, environment, request } = self.asked;
        let key = &request.installation_key;
        match installations::by_key(tx, key.as_str())? {
            Some(row) if row.product_id != product.id || row.environment != *environment => {
                let message = format!(
                    "the installation is known in the environment {}: use a build and a configuration for that one",
                    row.environment
                );
                Err(Refusal::new(Code::ProductMismatch, message).into())
            }
            Some(row) => Ok(Some(row)),
            None if request.license_key.is_none() => Ok(None),
            None => {
                let row = new_row(&self.ids.installation, key, &product.id, *environment, self.now);
                let details = json!({
                    "installation": row.id,
                    "installation_key": row.installation_key,
                    "product": product.slug,
                    "environment": environment.name(),
                });
                self.note(tx, events::INSTALLATION_SEEN, details)?;
                // Its documents refer to it.
                installations::save(tx, &row)?;
                Ok(Some(row))
            }
        }
    }

    /// Meets an installation that is known: it is who it was, and gets what it lacks.
    fn meet(
        &self,
        tx: &mut WriteTx<'_>,
        row: &mut Installation,
        key: &Arc<SigningKey>,
        documents: &mut Vec<String>,
        warnings: &mut Vec<String>,
    ) -> Result<Verdict, Failure> {
        self.recognise(row)?;
        if self.is_new(tx, row, warnings)? {
            self.take_up(tx, row)?;
        }
        let license = match &row.license_id {
            Some(id) => licenses::by_id(tx, id)?,
            None => None,
        };
        let verdict = verdict(row, license.as_ref(), self.now);
        if let Some(license) = license.filter(|_| verdict == Verdict::Licensed) {
            match self.license_document(tx, row, &license, key) {
                Ok(document) => documents.extend(document),
                // The rest of the answer is worth having without it.
                Err(Failure::Refused(refusal)) => warnings.push(refusal.message),
                Err(failure) => return Err(failure),
            }
        }
        installations::save(tx, row)?;
        Ok(verdict)
    }

    /// Holds the key pair to the one that is pinned, or pins it.
    fn recognise(&self, row: &mut Installation) -> Result<(), Refusal> {
        let public_key = self.asked.request.public_key.to_pem();
        let is_refused = row.unpinned_key.as_ref() == Some(&public_key);
        if is_refused || row.public_key.as_ref().is_some_and(|pinned| *pinned != public_key) {
            let message = "this installation is known by another key pair: if it was set up anew, have the vendor \
                           unpin it (`chancery-portal installation unpin`)";
            return Err(Refusal::new(Code::Forbidden, message));
        }
        row.public_key = Some(public_key);
        Ok(())
    }

    /// Whether the request is newer than all before it. One that is not may be a copy's, or one that somebody recorded:
    /// it is answered, and changes nothing.
    fn is_new(
        &self,
        tx: &mut WriteTx<'_>,
        row: &mut Installation,
        warnings: &mut Vec<String>,
    ) -> Result<bool, Failure> {
        let counter = i64::try_from(self.asked.request.counter).unwrap_or(i64::MAX);
        if counter > row.counter {
            row.counter = counter;
            return Ok(true);
        }
        warnings.push(
            "another copy of this installation has called, or it was restored from a snapshot: each installation \
             needs a key of its own"
                .to_owned(),
        );
        // A copy that calls often is told of now and then.
        if row.clone_seen_at.is_none_or(|seen| self.now >= seen + CLONE_REMINDER) {
            row.clone_seen_at = Some(self.now);
            let details =
                json!({ "installation": row.installation_key, "counter": counter, "seen": row.counter });
            self.note(tx, events::INSTALLATION_CLONE, details)?;
        }
        Ok(false)
    }

    /// Takes up what the installation says of itself, and registers it where it asks for that.
    fn take_up(&self, tx: &mut WriteTx<'_>, row: &mut Installation) -> Result<(), Failure> {
        let request = &self.asked.request;
        row.metrics = Some(request.metrics);
        row.last_seen_at = Some(self.now);
        if request.machine_name.is_some() {
            row.name.clone_from(&request.machine_name);
        }
        match &request.license_key {
            Some(license_key) => self.register(tx, row, &self.office.vault.key_hash(license_key)),
            None => Ok(()),
        }
    }

    /// Links the installation to the licence whose key it brings.
    fn register(&self, tx: &mut WriteTx<'_>, row: &mut Installation, key_hash: &[u8]) -> Result<(), Failure> {
        if row.retired_at.is_some() {
            return Err(retired().into());
        }
        let license = licenses::by_key_hash(tx, key_hash)?;
        let license =
            license.filter(|license| license.environment == self.asked.environment).ok_or_else(|| {
                let message =
                    format!("there is no licence of that key in the environment {}", self.asked.environment);
                Refusal::new(Code::LicenseNotFound, message)
            })?;
        if license.product_id != self.asked.product.id {
            return Err(Refusal::new(Code::ProductMismatch, "the licence is of another product").into());
        }
        license.status_at(self.now).usable(None, self.now)?;
        // What it has would be revoked, and what it gets not be taken.
        if row.license_id.as_ref().is_some_and(|linked| *linked != license.id) {
            self.fits(&license)?;
        }
        link_in(self.office, tx, row, &license, self.ids, &self.actor(), self.now)
    }

    /// Whether a licence covers what the installation says that it runs.
    fn fits(&self, license: &License) -> Result<(), Refusal> {
        let Some(allowed) = &license.terms.chancery else { return Ok(()) };
        let metrics = self.asked.request.metrics;
        let mut reasons = allowed.entitlements.misfits(Configuration {
            database: metrics.database,
            authorities: u64::from(metrics.authorities),
            features: [].into(),
        });
        reasons.extend(allowed.entitlements.excesses(Usage {
            managed_servers: metrics.managed_servers,
            certificates: metrics.active_certificates,
            ..Usage::default()
        }));
        if reasons.is_empty() {
            return Ok(());
        }
        let reasons: Vec<&str> = reasons.into_iter().map(Misfit::reason).collect();
        let message = format!(
            "the installation has a licence, and this other one does not cover what it runs: {}",
            reasons.join(" ")
        );
        Err(Refusal::new(Code::NotActive, message).with("reasons", json!(reasons)))
    }

    /// The licence document that the installation lacks: a new one where the licence changed or the last one no longer
    /// counts, or the last one again.
    fn license_document(
        &self,
        tx: &mut WriteTx<'_>,
        row: &mut Installation,
        license: &License,
        key: &Arc<SigningKey>,
    ) -> Result<Option<String>, Failure> {
        let held = self.asked.request.held.serial;
        // A machine file that was carried in is newer than what was sent, and may run out long before it: only a new
        // document counts beside it.
        if let Some((id, revision)) = row.document.clone()
            && revision == license.revision
            && let Some(sent) = documents::sent(tx, &id)?
            && !(held > sent.serial && documents::is_machine_file(tx, &license.id, held)?)
            && self.counts(tx, &sent)?
        {
            if held >= sent.serial {
                return Ok(None);
            }
            let text = self.office.vault.open_text(Purpose::Document, &id, &sent.body)?;
            return Ok(Some(text.to_string()));
        }
        let serial = next_serial(tx, &self.asked.product.id, self.asked.environment)?;
        let body = self.license_body(tx, license, serial)?;
        let (expires, grace) = (body.expires, Duration::from_secs(u64::from(body.grace_days) * 86_400));
        let text = seal(&self.document(body), &[key]).map_err(anyhow::Error::from)?;
        let kid = key.public().id().to_string();
        let hash = digest(&SHA256, text.as_bytes());
        let sealed = self.office.vault.seal(Purpose::Document, self.document_id, text.as_bytes())?;
        documents::insert(
            tx,
            &NewDocument {
                id: self.document_id,
                kind: DocumentKind::License,
                product_id: &self.asked.product.id,
                environment: self.asked.environment,
                license_id: &license.id,
                installation_id: Some(&row.id),
                activation_id: row.activation_id.as_deref(),
                serial: Some(serial),
                revision: license.revision,
                kid: &kid,
                digest: hash.as_ref(),
                body: Some(&sealed),
                issued_at: self.now,
                expires_at: Some(expires),
                counts_until: Some(expires + grace + CLOCK_MARGIN),
            },
        )?;
        row.document = Some((self.document_id.to_owned(), license.revision));
        let details = json!({
            "document": self.document_id,
            "license": license.id,
            "installation": row.installation_key,
            "serial": serial,
            "kid": kid,
            "digest": hash.as_ref().iter().map(|byte| format!("{byte:02x}")).collect::<String>(),
            "expires_at": expires,
        });
        self.note(tx, events::LICENSE_ISSUE, details)?;
        Ok(Some(text))
    }

    /// Whether a document counts where every manifest is known: the key that signed it may have been withdrawn since.
    fn counts(&self, tx: &mut WriteTx<'_>, sent: &SentDocument) -> Result<bool, Failure> {
        let Asked { product, environment, .. } = self.asked;
        let key = signing_keys::by_kid(tx, &sent.kid)?.filter(|key| key.status.verifies());
        let Some(key) = key else { return Ok(false) };
        let kid = key.public_key.id();
        match manifests::vouched(tx, product, *environment, kid, &[Use::License], sent.issued_at) {
            Ok(()) => Ok(true),
            Err(Failure::Refused(_)) => Ok(false),
            Err(failure) => Err(failure),
        }
    }

    fn license_body(
        &self,
        tx: &mut WriteTx<'_>,
        license: &License,
        serial: u64,
    ) -> Result<LicenseBody, Failure> {
        let Particulars { allowed, holder, clock_tolerance_hours } = Particulars::of(tx, license)?;
        let expires = license.expires_at.ok_or_else(|| incomplete("an end"))?.whole_seconds();
        let sealed = licenses::sealed_key(tx, &license.id)?;
        let license_key = self.office.vault.open_text(Purpose::LicenseKey, &license.id, &sealed)?;
        Ok(LicenseBody {
            id: license.id.clone(),
            serial,
            plan: allowed.plan,
            holder,
            license_key: license_key.parse().map_err(anyhow::Error::from)?,
            installation_key: Some(self.asked.request.installation_key.clone()),
            not_before: license.starts_at.unwrap_or(license.created_at).whole_seconds(),
            expires,
            grace_days: u16::try_from(license.terms.grace_days).unwrap_or_default(),
            after_grace: license.terms.after_grace,
            clock_tolerance_hours,
            entitlements: allowed.entitlements,
            newest_build: None,
            minimum_version: None,
        })
    }

    fn document<T>(&self, body: T) -> Document<T> {
        Document {
            product: self.asked.product.slug.clone(),
            environment: self.asked.environment,
            issued: self.now.whole_seconds(),
            body,
        }
    }

    fn note(
        &self,
        tx: &mut WriteTx<'_>,
        kind: chancery_trail::Kind,
        details: serde_json::Value,
    ) -> Result<(), Failure> {
        let environment = Some(self.asked.environment);
        self.office.note(tx, &Note { kind, actor: &self.actor(), environment, details }, self.now)
    }

    fn actor(&self) -> Actor {
        Actor {
            name: format!("installation:{}", self.asked.request.installation_key),
            permissions: Permissions::default(),
            api_key_id: None,
            live: None,
            product_id: Some(self.asked.product.id.clone()),
        }
    }
}

/// Where an installation stands.
fn verdict(row: &Installation, license: Option<&License>, now: Timestamp) -> Verdict {
    if row.retired_at.is_some() {
        return Verdict::Retired;
    }
    match license.map(|license| license.status_at(now)) {
        None => Verdict::Unlinked,
        Some(Status::Pending | Status::Active) => Verdict::Licensed,
        Some(Status::Suspended) => Verdict::Suspended,
        Some(Status::Revoked) => Verdict::Revoked,
        Some(Status::Expired) => Verdict::Expired,
    }
}

#[cfg(test)]
mod tests;
