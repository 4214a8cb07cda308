//! Machine files.

use std::collections::BTreeMap;
use std::time::Duration;

use aws_lc_rs::rand;
use chancery_license::machine_file::block::Block;
use chancery_license::machine_file::{Contents, IncludedLicense, Machine, Metadata, Mode, issue};
use chancery_license::state::AfterGrace;
use chancery_license::{Entitlements, Holder, LicenseKey, Plan, SigningKey};
use chancery_time::Timestamp;

use super::{PRODUCT, now};

/// A machine file to be signed. Without further ado it is one of the licence `lic-test`, serial 1, plan pro with what
/// that plan allows, issued and begun now, with an end in 30 days, 7 days of grace, renewals after that, and no end of the
/// licence itself.
#[derive(Debug)]
pub struct MachineFileBuilder<'a> {
    key: &'a SigningKey,
    license_key: LicenseKey,
    block: Option<Block>,
    contents: Contents,
}

impl<'a> MachineFileBuilder<'a> {
    pub(super) fn new(key: &'a SigningKey, license_key: LicenseKey, fingerprint: &str) -> Self {
        let now = now();
        let block = Block {
            id: "lic-test".to_owned(),
            serial: 1,
            plan: Plan::Pro,
            holder: Holder { organisation: "Example Ltd".to_owned(), email: "ops@example.com".to_owned() },
            after_grace: AfterGrace::RenewalsOnly,
            clock_tolerance_hours: 24,
            entitlements: Plan::Pro.entitlements(),
            newest_build: None,
            minimum_version: None,
        };
        let contents = Contents {
            kid: key.public().id().to_string(),
            issued: now,
            not_before: now,
            expires: now + Duration::from_secs(30 * 86_400),
            grace: Duration::from_secs(7 * 86_400),
            license_expires: None,
            product_slug: PRODUCT.to_owned(),
            machine: Machine {
                activation_id: "act-test".to_owned(),
                fingerprint: fingerprint.to_owned(),
                fingerprint_components: BTreeMap::new(),
                name: Some("box 7".to_owned()),
                platform: None,
                created: now,
                metadata: Metadata::default(),
            },
            license: Some(IncludedLicense {
                mode: Mode::HardwareLocked,
                seat_limit: None,
                plan_key: "pro".to_owned(),
                starts_at: None,
                entitlements: Vec::new(),
                metadata: Metadata::default(),
            }),
        };
        Self { key, license_key, block: Some(block), contents }
    }

    /// Names the licence.
    pub fn id(self, id: &str) -> Self {
        self.block(|block| block.id = id.to_owned())
    }

    /// Numbers this document of it: the highest serial is the newest.
    pub fn serial(self, serial: u64) -> Self {
        self.block(|block| block.serial = serial)
    }

    /// Sets the plan, and the entitlements to what that plan allows.
    pub fn plan(self, plan: Plan) -> Self {
        self.block(|block| {
            block.plan = plan;
            block.entitlements = plan.entitlements();
        })
    }

    /// Changes what it allows; after [`plan`](Self::plan), which sets it.
    pub fn entitlements(self, change: impl FnOnce(&mut Entitlements)) -> Self {
        self.block(|block| change(&mut block.entitlements))
    }

    /// Allows nothing after the grace, not even renewals.
    pub fn block_after_grace(self) -> Self {
        self.block(|block| block.after_grace = AfterGrace::Block)
    }

    /// Leaves out what licenses an installation.
    pub fn without_block(mut self) -> Self {
        self.block = None;
        self
    }

    /// Sets when it was issued; when it begins, too.
    pub fn issued(mut self, issued: Timestamp) -> Self {
        self.contents.issued = issued;
        self.not_before(issued)
    }

    /// Sets when it begins.
    pub fn not_before(mut self, not_before: Timestamp) -> Self {
        self.contents.not_before = not_before;
        self
    }

    /// Sets when it runs out.
    pub fn expires(mut self, expires: Timestamp) -> Self {
        self.contents.expires = expires;
        self
    }

    /// Sets for how many days after that everything still works.
    pub fn grace_days(mut self, days: u64) -> Self {
        self.contents.grace = Duration::from_secs(days * 86_400);
        self
    }

    /// Sets when the licence ends, which nothing outlives.
    pub fn license_expires(mut self, end: Timestamp) -> Self {
        self.contents.license_expires = Some(end);
        self
    }

    /// Makes it one of another product.
    pub fn product(mut self, product: &str) -> Self {
        self.contents.product_slug = product.to_owned();
        self
    }

    /// Has another key sign it.
    pub fn signed_by(mut self, key: &'a SigningKey) -> Self {
        self.contents.kid = key.public().id().to_string();
        self.key = key;
        self
    }

    /// Signs it; gives the armoured text.
    pub fn mint(mut self) -> String {
        if let (Some(block), Some(license)) = (&self.block, &mut self.contents.license) {
            license.metadata = block.beside(serde_json::Map::new()).expect("the block keeps its rules");
        }
        let mut nonce = [0; 12];
        rand::fill(&mut nonce).expect("random bytes");
        let issued = issue(&self.contents, self.license_key.reveal(), self.key, nonce);
        issued.expect("the machine file keeps the rules of its format").certificate
    }

    fn block(mut self, change: impl FnOnce(&mut Block)) -> Self {
        change(self.block.as_mut().expect("the block was not left out"));
        self
    }
}
