//! The audit log under a server: after crashes, on a full disk, over several segments. It is read and verified
//! here by the library, with what the database holds.

mod crashes;
mod disk_full;
mod restored;
mod segments;

use std::collections::HashSet;
use std::path::PathBuf;
use std::time::Duration;

use chancery_audit::{
    Checkpoint, Filter, Head, Log, Node, Record, Report, Secret, Signer, Verification, VerifierKey,
};
use chancery_testkit::Installation;

/// How long the server may take to write what waits, on a machine that is busy with other tests.
const PATIENCE: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_millis(20);

/// Somebody who may read the database, and holds the log against it.
struct Auditor<'a> {
    installation: &'a Installation,
    secret: Secret,
    genesis: Head,
    key: VerifierKey,
}

/// The log as it lies there, with what waits to get into it.
struct Examined {
    report: Report,
    records: Vec<Record>,
    waiting: HashSet<u64>,
}

impl<'a> Auditor<'a> {
    /// An auditor of an installation whose server has run.
    fn new(installation: &'a Installation) -> Self {
        let setting = |name: &str| -> [u8; 32] {
            let found =
                installation.column::<Vec<u8>>(&format!("SELECT value FROM settings WHERE name = '{name}'"));
            found.concat().try_into().unwrap_or_else(|_| panic!("{name} has not 32 bytes"))
        };
        let (secret, seed) = (Secret::new(&setting("audit_secret")), setting("audit_signing_seed"));
        let node = std::fs::read_to_string(installation.server_workdir().join("node")).expect("a node");
        let node = Node::new(node.split(' ').next().unwrap()).expect("a name that can stand in a log");
        let installation_key = installation.installation_key();
        let genesis = Head::genesis(&secret, &installation_key, &node);
        let signer = Signer::new(&format!("chancery-audit/{installation_key}"), &node, &seed).unwrap();
        Self { installation, secret, genesis, key: signer.verifier_key().clone() }
    }

    /// Verifies the log with all that is known of it, and fails the test where it is not sound. The server
    /// may be running, or may just have been killed.
    #[track_caller]
    fn examine(&self) -> Examined {
        self.examine_against(None)
    }

    /// The same, with a checkpoint that was kept.
    #[track_caller]
    fn examine_against(&self, kept: Option<&Checkpoint>) -> Examined {
        // In this order: what is pinned and removed meanwhile is then looked at as not yet pinned.
        let log = Log::open(&directory(self.installation)).expect("the log's directory can be read");
        let waiting = self.waiting();
        let head = self.head();
        let against = Verification {
            secret: Some(&self.secret),
            head: Some(&head),
            outbox: Some(&waiting),
            genesis: Some(&self.genesis),
            key: Some(&self.key),
            checkpoint: kept,
        };
        let report = log.verify(&against, |_| {}).expect("the log can be read");
        assert!(report.is_sound(), "{report:#?}");
        let records = log.records(&Filter::default(), None).expect("the log can be read");
        let records = records.collect::<Result<_, _>>().expect("sound lines are records");
        Examined { report, records, waiting }
    }

    /// Holds the log of a server that was stopped in good order against the database: it has everything that
    /// was done, each once, and ends with a checkpoint.
    #[track_caller]
    fn examine_whole(&self) -> Examined {
        let examined = self.examine();
        let Report { in_flight, torn_bytes, last_seq, signed_to, .. } = &examined.report;
        assert_eq!((in_flight.as_slice(), *torn_bytes), (&[][..], 0));
        assert!(examined.waiting.is_empty(), "events still wait: {:?}", examined.waiting);
        assert_eq!(*last_seq, Some(self.head().seq()), "the log ends where the store says");
        assert_eq!(*last_seq, Some(signed_to + 1), "the last line is a checkpoint over all before it");
        for (event, member, rows) in TOLD {
            let told = examined.rows(event, *member);
            let there: Vec<i64> = self.installation.column(rows);
            assert_eq!(told, there, "`{event}` stands once for each row of: {rows}");
        }
        examined
    }

    fn head(&self) -> Head {
        let node = self.genesis.node();
        let sql = format!("SELECT head FROM audit_heads WHERE node = '{node}'");
        self.installation
            .column::<Vec<u8>>(&sql)
            .first()
            .map_or_else(|| self.genesis.clone(), |head| Head::from_bytes(head).expect("a head"))
    }

    fn waiting(&self) -> HashSet<u64> {
        let sql = format!("SELECT id FROM audit_outbox WHERE node = '{}'", self.genesis.node());
        self.installation.column::<i64>(&sql).into_iter().map(|id| u64::try_from(id).unwrap()).collect()
    }
}

impl Examined {
    /// The rows that events of that name tell of, in ascending order, each as often as it is told of. The row's
    /// number is a member of the details or else the account.
    fn rows(&self, event: &str, member: Option<&str>) -> Vec<i64> {
        let of_name = self.records.iter().filter(|record| record.event == event);
        let mut rows: Vec<i64> = of_name
            .map(|record| match member {
                Some(member) => record.details[member].as_i64().expect("a row's number"),
                None => record.account_id.as_deref().expect("an account").parse().unwrap(),
            })
            .collect();
        rows.sort_unstable();
        rows
    }

    /// How often events of that name stand in the log.
    fn count(&self, event: &str) -> usize {
        self.records.iter().filter(|record| record.event == event).count()
    }

    /// The identifiers of all events of that name.
    fn identifiers(&self, event: &str) -> HashSet<&str> {
        let of_name = self.records.iter().filter(|record| record.event == event);
        of_name.map(|record| record.details["identifiers"].as_str().expect("a text")).collect()
    }
}

/// What has to be in a log: an event, where it names the row, and the rows.
const TOLD: &[(&str, Option<&str>, &str)] = &[
    ("account.create", None, "SELECT id FROM accounts ORDER BY id"),
    ("order.create", Some("order"), "SELECT id FROM orders ORDER BY id"),
    (
        "challenge.answer",
        Some("challenge"),
        "SELECT id FROM challenges WHERE status <> 'pending' ORDER BY id",
    ),
    ("challenge.valid", Some("challenge"), "SELECT id FROM challenges WHERE status = 'valid' ORDER BY id"),
    (
        "challenge.invalid",
        Some("challenge"),
        "SELECT id FROM challenges WHERE status = 'invalid' ORDER BY id",
    ),
    (
        "certificate.issue",
        Some("certificate"),
        "SELECT id FROM certificates WHERE issued_at IS NOT NULL AND order_id IS NOT NULL ORDER BY id",
    ),
    (
        "certificate.issue_own",
        Some("certificate"),
        "SELECT id FROM certificates WHERE issued_at IS NOT NULL AND order_id IS NULL ORDER BY id",
    ),
];

/// Where the log lies.
fn directory(installation: &Installation) -> PathBuf {
    installation.server_workdir().join("audit")
}

/// How many events wait.
fn backlog(installation: &Installation) -> i64 {
    installation.query_i64("SELECT COUNT(*) FROM audit_outbox")
}

/// Waits until nothing waits.
async fn wait_until_written(installation: &Installation) {
    let written = async {
        while backlog(installation) > 0 {
            tokio::time::sleep(PAUSE).await;
        }
    };
    let written = tokio::time::timeout(PATIENCE, written).await;
    written.unwrap_or_else(|_| panic!("{} events still wait", backlog(installation)));
}
