//! Bytes on their way: TLS under the portal's own certificate, and HTTP/1.1 as it is written.

use std::io::{BufRead as _, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::Arc;

use chancery_testkit::PortalSite;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, ServerConfig, ServerConnection, StreamOwned};

/// Serves whoever connects, each on a thread of its own; gives where.
pub(super) fn listen(serve: impl Fn(TcpStream) -> Option<()> + Send + Sync + 'static) -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    let serve = Arc::new(serve);
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let serve = Arc::clone(&serve);
            // Whoever hangs up ends only its own connection.
            std::thread::spawn(move || serve(stream));
        }
    });
    address
}

/// The two ends of TLS with a portal: to be taken for it, and to call it.
pub(super) struct Ends {
    server: Arc<ServerConfig>,
    client: Arc<ClientConfig>,
}

impl Ends {
    pub(super) fn of(portal: &PortalSite) -> Self {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let certificates = certificates(&portal.root());
        let key = PrivateKeyDer::from_pem_file(portal.workdir().join("tls/portal.key")).unwrap();
        let mut roots = RootCertStore::empty();
        certificates.iter().for_each(|root| roots.add(root.clone()).unwrap());
        let server = ServerConfig::builder_with_provider(Arc::clone(&provider));
        let server = server.with_safe_default_protocol_versions().unwrap().with_no_client_auth();
        let client = ClientConfig::builder_with_provider(provider);
        let client = client.with_safe_default_protocol_versions().unwrap().with_root_certificates(roots);
        Self {
            server: Arc::new(server.with_single_cert(certificates, key).unwrap()),
            client: Arc::new(client.with_no_client_auth()),
        }
    }

    pub(super) fn accept(&self, stream: TcpStream) -> Option<StreamOwned<ServerConnection, TcpStream>> {
        Some(StreamOwned::new(ServerConnection::new(Arc::clone(&self.server)).ok()?, stream))
    }

    pub(super) fn call(&self, to: SocketAddr) -> Option<StreamOwned<ClientConnection, TcpStream>> {
        let name = ServerName::try_from("localhost").ok()?;
        let session = ClientConnection::new(Arc::clone(&self.client), name).ok()?;
        Some(StreamOwned::new(session, TcpStream::connect(to).ok()?))
    }
}

fn certificates(file: &Path) -> Vec<CertificateDer<'static>> {
    CertificateDer::pem_file_iter(file).unwrap().map(Result::unwrap).collect()
}

/// One HTTP/1.1 message.
#[derive(Debug, Clone)]
pub(super) struct Message {
    /// The first line.
    pub(super) line: String,
    /// The header fields, as they are written.
    pub(super) fields: Vec<String>,
    pub(super) body: Vec<u8>,
}

impl Message {
    /// Reads one whose length is told ahead.
    pub(super) fn read(stream: &mut impl Read) -> Option<Self> {
        let mut reader = BufReader::new(stream);
        let mut next = || {
            let mut line = String::new();
            reader.read_line(&mut line).ok().filter(|read| *read > 0)?;
            Some(line.trim_end().to_owned())
        };
        let line = next()?;
        let fields: Vec<String> = std::iter::from_fn(next).take_while(|field| !field.is_empty()).collect();
        let mut message = Self { line, fields, body: Vec::new() };
        let length = message.field("content-length").map_or(Some(0), |length| length.parse().ok())?;
        message.body.resize(length, 0);
        reader.read_exact(&mut message.body).ok()?;
        Some(message)
    }

    /// The value of a field.
    pub(super) fn field(&self, name: &str) -> Option<&str> {
        let mut fields = self.fields.iter().filter_map(|field| field.split_once(": "));
        fields.find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    pub(super) fn write(&self, stream: &mut impl Write) -> Option<()> {
        let head = format!("{}\r\n{}\r\n\r\n", self.line, self.fields.join("\r\n"));
        stream.write_all(&[head.as_bytes(), &self.body].concat()).ok()?;
        stream.flush().ok()
    }
}
