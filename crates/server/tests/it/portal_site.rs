//! A licence portal that answers as a test tells it to, and remembers what it was asked.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use chancery_license::exchange::{Request, Response, Verdict, open_request};
use chancery_license::{Document, SigningKey, seal};
use chancery_testkit::{Installation, Workdir};
use chancery_time::{Clock, SystemClock};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::pki_types::PrivateKeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use serde_json::{Value, json};

/// How long a test waits for a request.
const PATIENCE: Duration = Duration::from_secs(60);

/// What the portal does with a request.
type Manner = Box<dyn Fn(&Document<Request>) -> Reply + Send>;

/// An answer as it goes over the wire.
pub(crate) enum Reply {
    /// A status, further header fields, and a body.
    Plain(u16, &'static str, String),
    /// More bytes than anybody wants, without their number ahead.
    Endless,
    /// The connection is closed.
    Nothing,
}

/// A request as it came.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    /// Method, target and version.
    pub(crate) line: String,
    /// The names of the header fields and their values, names in lower case.
    pub(crate) fields: Vec<(String, String)>,
    pub(crate) body: Value,
    pub(crate) request: Document<Request>,
}

/// The portal.
pub(crate) struct PortalSite {
    address: SocketAddr,
    directory: Workdir,
    shared: Arc<Shared>,
}

struct Shared {
    manner: Mutex<Manner>,
    asked: Mutex<Vec<Asked>>,
    came: Condvar,
    tls: Arc<ServerConfig>,
}

impl PortalSite {
    /// Listens, under a certificate of its own.
    pub(crate) fn start() -> Self {
        let directory = Workdir::new();
        let tls = certificate(&directory);
        let manner: Manner = Box::new(|_| Reply::Nothing);
        let shared = Arc::new(Shared {
            manner: Mutex::new(manner),
            asked: Mutex::default(),
            came: Condvar::new(),
            tls,
        });
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        std::thread::spawn({
            let shared = Arc::clone(&shared);
            move || {
                for stream in listener.incoming().map_while(Result::ok) {
                    let shared = Arc::clone(&shared);
                    // Whoever hangs up ends only its own connection.
                    std::thread::spawn(move || shared.serve(stream));
                }
            }
        });
        Self { address, directory, shared }
    }

    /// From now on does this with a request.
    pub(crate) fn answer_as(&self, manner: impl Fn(&Document<Request>) -> Reply + Send + 'static) {
        *self.shared.manner.lock().unwrap() = Box::new(manner);
    }

    /// From now on answers as a portal does, with that verdict and those documents.
    pub(crate) fn answer(&self, verdict: Verdict, documents: &[String]) {
        let documents = documents.to_vec();
        self.answer_as(move |request| {
            signed(&vendor(), request, |response| {
                response.body.verdict = verdict;
                response.body.documents = documents.clone();
            })
        });
    }

    /// What came so far.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.shared.asked.lock().unwrap().clone()
    }

    /// Waits until that many requests came.
    pub(crate) fn wait_for(&self, number: usize) {
        let asked = self.shared.asked.lock().unwrap();
        let came = self.shared.came.wait_timeout_while(asked, PATIENCE, |asked| asked.len() < number);
        let (asked, _) = came.unwrap();
        assert!(asked.len() >= number, "{} requests came, and not {number}", asked.len());
    }

    /// The configuration of an installation that asks this portal.
    pub(crate) fn license(&self) -> Value {
        let ca_file = self.directory.join("ca.pem");
        json!({ "portal": { "url": self.url(), "ca_file": ca_file } })
    }

    /// Writes it.
    pub(crate) fn introduce(&self, installation: &Installation) {
        installation.configure(|config| config["license"] = self.license());
    }

    pub(crate) fn url(&self) -> String {
        format!("https://localhost:{}", self.address.port())
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Shared {
    fn serve(&self, stream: TcpStream) -> Option<()> {
        let mut stream = StreamOwned::new(ServerConnection::new(Arc::clone(&self.tls)).ok()?, stream);
        let Head { line, fields, body } = read(&mut stream)?;
        let body: Value = serde_json::from_slice(&body).ok()?;
        // A request that does not verify gets no answer, with which every test fails.
        let request = open_request(body["request"].as_str()?, "chancery").ok()?.into_document();
        let reply = self.manner.lock().unwrap()(&request);
        self.asked.lock().unwrap().push(Asked { line, fields, body, request });
        self.came.notify_all();
        match reply {
            Reply::Nothing => {}
            Reply::Plain(status, more, body) => {
                let head = format!(
                    "HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nSet-Cookie: a=b\r\n{more}Content-Length: {}\r\n\r\n",
                    body.len()
                );
                stream.write_all(format!("{head}{body}").as_bytes()).ok()?;
            }
            Reply::Endless => {
                stream.write_all(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n").ok()?;
                while stream.write_all(&[b' '; 65_536]).is_ok() {}
            }
        }
        stream.conn.send_close_notify();
        stream.flush().ok()
    }
}

/// A request before it is understood.
struct Head {
    line: String,
    fields: Vec<(String, String)>,
    body: Vec<u8>,
}

/// One HTTP/1.1 request: its first line, its fields, its body.
fn read(stream: &mut impl Read) -> Option<Head> {
    let mut reader = BufReader::new(stream);
    let mut next = || {
        let mut line = String::new();
        reader.read_line(&mut line).ok().filter(|read| *read > 0)?;
        Some(line.trim_end().to_owned())
    };
    let line = next()?;
    let mut fields = Vec::new();
    loop {
        let field = next()?;
        if field.is_empty() {
            break;
        }
        let (name, value) = field.split_once(": ")?;
        fields.push((name.to_ascii_lowercase(), value.to_owned()));
    }
    let length = fields.iter().find(|(name, _)| name == "content-length")?.1.parse().ok()?;
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some(Head { line, fields, body })
}

/// The key of the vendor that development builds trust; its private half is public.
pub(crate) fn vendor() -> SigningKey {
    SigningKey::from_pem(include_str!("../../../license/trust/dev/signing-key.pem")).unwrap()
}

/// The answer to a request, changed and then signed.
pub(crate) fn signed(
    key: &SigningKey,
    request: &Document<Request>,
    change: impl FnOnce(&mut Document<Response>),
) -> Reply {
    Reply::Plain(200, "", body(&seal(&response(request, change), &[key]).unwrap()))
}

/// The answer to a request, changed.
pub(crate) fn response(
    request: &Document<Request>,
    change: impl FnOnce(&mut Document<Response>),
) -> Document<Response> {
    let mut response = Document {
        product: request.product.clone(),
        environment: request.environment,
        issued: SystemClock.now().whole_seconds(),
        body: Response {
            installation_key: request.body.installation_key.clone(),
            nonce: request.body.nonce,
            counter: request.body.counter,
            verdict: Verdict::Licensed,
            documents: Vec::new(),
            warnings: Vec::new(),
        },
    };
    change(&mut response);
    response
}

pub(crate) fn body(response: &str) -> String {
    json!({ "object": "installation_sync", "response": response }).to_string()
}

/// What the portal says in place of an answer.
pub(crate) fn error(status: u16, code: &str) -> Reply {
    let details = json!({});
    let body = json!({ "error": { "code": code, "message": "CRT-SECRET", "details": details } });
    Reply::Plain(status, "", body.to_string())
}

/// A certificate for `localhost`, under an authority that it writes to `ca.pem`.
fn certificate(directory: &Workdir) -> Arc<ServerConfig> {
    let key = KeyPair::generate().unwrap();
    let mut authority = CertificateParams::default();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let root = authority.self_signed(&key).unwrap();
    std::fs::write(directory.join("ca.pem"), root.pem()).unwrap();
    let issuer = Issuer::new(authority, key);
    let key = KeyPair::generate().unwrap();
    let names = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    let leaf = names.signed_by(&key, &issuer).unwrap();
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![leaf.der().clone()], key);
    Arc::new(config.unwrap())
}
