//! The published client library of the service whose API the portal speaks, run against a portal.
//!
//! Its arguments are what to do, one step after another with one instance of the library. For each it prints a line
//! of JSON: `{"step":…,"done":…}`, or `{"step":…,"refused":…}` with what the library says of the refusal. What the
//! library is set up with comes from the environment.

use std::collections::HashMap;
use std::time::Duration;

use licenseseat::{
    ActivationOptions, Config, Error, Event, EventKind, LicenseSeat, MachineFile, MachineFileCheckoutOptions,
};
use serde_json::{Value, json};
use tokio::sync::broadcast::Receiver;

type Answer = Result<Value, Error>;

/// How long the library may take for what it does by itself.
const PATIENCE: Duration = Duration::from_secs(20);

/// The library, and what it is used for.
struct Client {
    sdk: LicenseSeat,
    license_key: String,
    /// What the last step `check-out` brought.
    file: Option<MachineFile>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let mut client = Client::from_environment();
    for step in std::env::args().skip(1) {
        let line = match client.take(&step).await {
            Ok(done) => json!({ "step": step, "done": done }),
            Err(error) => json!({ "step": step, "refused": told(error) }),
        };
        println!("{line}");
    }
}

impl Client {
    fn from_environment() -> Self {
        let config = Config {
            api_base_url: variable("LICENSESEAT_BASE_URL"),
            api_key: variable("LICENSESEAT_API_KEY"),
            product_slug: variable("LICENSESEAT_PRODUCT_SLUG"),
            device_identifier: Some(variable("LICENSESEAT_FINGERPRINT")),
            storage_path: Some(variable("LICENSESEAT_STORAGE").into()),
            signing_key_id: std::env::var("LICENSESEAT_SIGNING_KEY_ID").ok(),
            signing_public_key: std::env::var("LICENSESEAT_SIGNING_PUBLIC_KEY").ok(),
            send_fingerprint_components: true,
            app_version: Some("1.2.3".to_owned()),
            // Nothing is done at a time of the library's own choice.
            auto_validate_interval: Duration::ZERO,
            heartbeat_interval: Duration::ZERO,
            network_recheck_interval: Duration::ZERO,
            offline_token_refresh_interval: Duration::ZERO,
            retry_delay: Duration::from_millis(50),
            ..Config::default()
        };
        config.validate().expect("a configuration that the library takes");
        let sdk = LicenseSeat::try_new(config).expect("a library that starts");
        Self { sdk, license_key: variable("LICENSESEAT_LICENSE_KEY"), file: None }
    }

    async fn take(&mut self, step: &str) -> Answer {
        let (sdk, key) = (&self.sdk, self.license_key.as_str());
        match step.split_once(':').unwrap_or((step, "")) {
            ("health", _) => sdk.health_check().await.map(written),
            ("activate", _) => self.activate().await,
            ("validate", _) => sdk.validate_key(key).await.map(written),
            ("heartbeat", _) => sdk.heartbeat_key(key, None).await.map(written),
            ("deactivate", _) => sdk.deactivate_key(key, None).await.map(|()| Value::Null),
            ("status", _) => Ok(written(sdk.get_client_status())),
            ("entitlement", name) => Ok(json!(sdk.check_entitlement(name).active)),
            ("signing-key", id) => sdk.fetch_signing_key(id).await.map(Value::String),
            ("check-out", days) => self.check_out(days.parse().ok()).await,
            ("open", fingerprint) => self.open(fingerprint),
            ("restore", _) => {
                let restored = sdk.restore_license().await;
                Ok(json!({ "restored": restored.restored, "validation": restored.validation }))
            }
            ("releases", _) => sdk.list_releases(None, None, None).await.map(written),
            ("offline-token", _) => sdk.generate_offline_token(key, None, None).await.map(written),
            _ => panic!("no such step: {step}"),
        }
    }

    /// Activates, and waits for what the library does next by itself: it checks out a machine file.
    async fn activate(&self) -> Answer {
        let mut events = self.sdk.subscribe();
        let metadata = HashMap::from([("line".to_owned(), json!({ "number": 7, "halls": ["a", "ä"] }))]);
        let options = ActivationOptions {
            device_name: Some("Factory PLC 07".to_owned()),
            metadata: Some(metadata),
            ..ActivationOptions::default()
        };
        let license = self.sdk.activate_with_options(&self.license_key, options).await?;
        Ok(json!({ "license": license, "machine_file": machine_file(&mut events).await }))
    }

    async fn check_out(&mut self, ttl_days: Option<i64>) -> Answer {
        let options = MachineFileCheckoutOptions { ttl_days, ..MachineFileCheckoutOptions::default() };
        let file = self.sdk.checkout_machine_file_with_options(&self.license_key, options).await?;
        let told = json!({ "ttl": file.ttl, "key_id": self.sdk.machine_file_key_id(&file) });
        self.file = Some(file);
        Ok(told)
    }

    /// Opens the machine file that was checked out, as one for that fingerprint or else for the machine's own.
    fn open(&self, fingerprint: &str) -> Answer {
        let mut file = self.file.clone().expect("a step check-out before");
        let other = (!fingerprint.is_empty()).then_some(fingerprint);
        if let Some(other) = other {
            file.fingerprint = other.to_owned();
        }
        self.sdk.inspect_machine_file(&file, None, Some(&self.license_key), other).map(written)
    }
}

/// How the library's own check-out of a machine file ended.
async fn machine_file(events: &mut Receiver<Event>) -> String {
    loop {
        match tokio::time::timeout(PATIENCE, events.recv()).await {
            Ok(Ok(event)) if event.kind == EventKind::MachineFileReady => return "ready".to_owned(),
            Ok(Ok(event)) if event.kind == EventKind::MachineFileFetchError => {
                return format!("{:?}", event.data);
            }
            Ok(Ok(_)) => {}
            Ok(Err(error)) => return error.to_string(),
            Err(error) => return error.to_string(),
        }
    }
}

/// What the portal refused with; `library` where the library refuses what the portal answered.
fn told(error: Error) -> Value {
    match error {
        Error::Api { status, code, message, details } => {
            json!({ "status": status, "code": code, "message": message, "details": details })
        }
        other => json!({ "library": other.to_string() }),
    }
}

fn written(value: impl serde::Serialize) -> Value {
    serde_json::to_value(value).expect("JSON")
}

fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set"))
}
