//! Licences in armour.

use std::time::Duration;

use chancery_license::state::AfterGrace;
use chancery_license::{
    Document, Entitlements, Environment, Holder, License, LicenseKey, Plan, SigningKey, seal,
};
use chancery_time::Timestamp;

use super::{PRODUCT, now};

/// A licence to be signed. Without further ado it is `lic-test` of serial 1, plan pro with what that plan
/// allows, for the development environment and any installation, issued and begun now, with an end in
/// 30 days, 7 days of grace, and renewals after that.
#[derive(Debug)]
pub struct LicenseBuilder<'a> {
    key: &'a SigningKey,
    document: Document<License>,
}

impl<'a> LicenseBuilder<'a> {
    pub(super) fn new(key: &'a SigningKey, license_key: LicenseKey) -> Self {
        let now = now();
        let license = License {
            id: "lic-test".to_owned(),
            serial: 1,
            plan: Plan::Pro,
            holder: Holder { organisation: "Example Ltd".to_owned(), email: "ops@example.com".to_owned() },
            license_key,
            installation_key: None,
            not_before: now,
            expires: now + Duration::from_secs(30 * 86_400),
            grace_days: 7,
            after_grace: AfterGrace::RenewalsOnly,
            clock_tolerance_hours: 24,
            entitlements: Plan::Pro.entitlements(),
            newest_build: None,
            minimum_version: None,
        };
        let document = Document {
            product: PRODUCT.to_owned(),
            environment: Environment::Dev,
            issued: now,
            body: license,
        };
        Self { key, document }
    }

    /// Names the licence.
    pub fn id(mut self, id: &str) -> Self {
        self.document.body.id = id.to_owned();
        self
    }

    /// Numbers this issue of it: the highest serial is the newest document.
    pub fn serial(mut self, serial: u64) -> Self {
        self.document.body.serial = serial;
        self
    }

    /// Sets the plan, and the entitlements to what that plan allows.
    pub fn plan(mut self, plan: Plan) -> Self {
        self.document.body.plan = plan;
        self.document.body.entitlements = plan.entitlements();
        self
    }

    /// Changes what it allows; after [`plan`](Self::plan), which sets it.
    pub fn entitlements(mut self, change: impl FnOnce(&mut Entitlements)) -> Self {
        change(&mut self.document.body.entitlements);
        self
    }

    /// Binds it to the installation of that key, `INST-…`.
    pub fn bound_to(mut self, installation_key: &str) -> Self {
        let key = installation_key.parse().expect("an installation key");
        self.document.body.installation_key = Some(key);
        self
    }

    /// Sets when it was signed.
    pub fn issued(mut self, issued: Timestamp) -> Self {
        self.document.issued = issued;
        self
    }

    /// Sets when it begins.
    pub fn not_before(mut self, not_before: Timestamp) -> Self {
        self.document.body.not_before = not_before;
        self
    }

    /// Sets when it ends.
    pub fn expires(mut self, expires: Timestamp) -> Self {
        self.document.body.expires = expires;
        self
    }

    /// Sets for how many days after that everything still works.
    pub fn grace_days(mut self, days: u16) -> Self {
        self.document.body.grace_days = days;
        self
    }

    /// Allows nothing after the grace, not even renewals.
    pub fn block_after_grace(mut self) -> Self {
        self.document.body.after_grace = AfterGrace::Block;
        self
    }

    /// Sets how many hours a clock may fall behind before it counts as set back.
    pub fn clock_tolerance_hours(mut self, hours: u16) -> Self {
        self.document.body.clock_tolerance_hours = hours;
        self
    }

    /// Sets the newest build date that its support covers.
    pub fn newest_build(mut self, newest: Timestamp) -> Self {
        self.document.body.newest_build = Some(newest);
        self
    }

    /// Sets the oldest version of the program that may use it: `1.4.0`, say.
    pub fn minimum_version(mut self, version: &str) -> Self {
        self.document.body.minimum_version = Some(version.parse().expect("a version"));
        self
    }

    /// Makes it one of another environment.
    pub fn environment(mut self, environment: Environment) -> Self {
        self.document.environment = environment;
        self
    }

    /// Makes it one of another product.
    pub fn product(mut self, product: &str) -> Self {
        self.document.product = product.to_owned();
        self
    }

    /// Signs it; gives the armoured text.
    pub fn mint(self) -> String {
        seal(&self.document, &[self.key]).expect("the licence keeps the rules of its format")
    }
}
