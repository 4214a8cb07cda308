//! A DNS server whose records a test, or the hook of a client, changes while it runs.

mod answer;
mod record;
#[cfg(test)]
mod tests;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::sync::oneshot;

use self::answer::State;
use self::record::key;
pub use self::record::{DnsManner, DnsQuery, DnsRecord};

/// Serves over UDP and TCP on one port of 127.0.0.1, in a thread of its own, until it is dropped.
///
/// It is an authority for every name and follows aliases when asked to recurse. A name that has no
/// records and nothing below it does not exist. The name `*` stands for every name without an entry.
#[derive(Debug)]
pub struct DnsServer {
    address: SocketAddr,
    state: Arc<State>,
    hooks: TempDir,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl DnsServer {
    /// Starts a server that knows no name.
    pub fn start() -> Self {
        let hooks = tempfile::tempdir().expect("a directory for hooks");
        let state = Arc::new(State { book: Mutex::default(), hooks: hooks.path().to_owned() });
        let (stop, stopped) = oneshot::channel();
        let (started, address) = std::sync::mpsc::channel();
        let shared = Arc::clone(&state);
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .expect("a runtime for the DNS server");
            runtime.block_on(async {
                let (udp, tcp) = sockets_with_one_port().await;
                started.send(udp.local_addr().unwrap()).unwrap();
                tokio::select! {
                    _ = stopped => {}
                    () = serve_udp(Arc::new(udp), Arc::clone(&shared)) => {}
                    () = serve_tcp(tcp, shared) => {}
                }
            });
        });
        let address = address.recv().expect("the DNS server listens");
        Self { address, state, hooks, stop: Some(stop), thread: Some(thread) }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Gives the name these TXT records and takes those that it had.
    pub fn set_txt(&self, name: &str, values: &[&str]) {
        let mut book = self.state.book.lock().unwrap();
        let records = book.records.entry(key(name)).or_default();
        records.retain(|record| !matches!(record, DnsRecord::Txt(_)));
        records.extend(values.iter().map(|value| DnsRecord::txt(value)));
    }

    /// Gives the name one record more.
    pub fn add(&self, name: &str, record: DnsRecord) {
        self.state.book.lock().unwrap().records.entry(key(name)).or_default().push(record);
    }

    /// Gives the name these addresses and takes the records that it had; without any, it exists and has
    /// no record.
    pub fn set_addresses(&self, name: &str, addresses: &[IpAddr]) {
        let records = addresses.iter().copied().map(DnsRecord::from).collect();
        self.state.book.lock().unwrap().records.insert(key(name), records);
    }

    /// Gives the name a CAA record more.
    pub fn add_caa(&self, name: &str, flags: u8, tag: &str, value: &str) {
        self.add(name, DnsRecord::Caa { flags, tag: tag.to_owned(), value: value.to_owned() });
    }

    /// Takes all records and manners of the name.
    pub fn clear(&self, name: &str) {
        let mut book = self.state.book.lock().unwrap();
        book.records.remove(&key(name));
        book.manners.remove(&key(name));
    }

    /// From now on answers queries for the name in this manner.
    pub fn misbehave(&self, name: &str, manner: DnsManner) {
        self.state.book.lock().unwrap().manners.insert(key(name), manner);
    }

    /// From now on says of every answer that DNSSEC vouches for it (AD), or of none.
    pub fn set_authenticated(&self, authenticated: bool) {
        self.state.book.lock().unwrap().authenticated = authenticated;
    }

    /// The queries that came, in their order.
    pub fn queries(&self) -> Vec<DnsQuery> {
        self.state.book.lock().unwrap().queries.clone()
    }

    /// How many queries came for this name and type.
    pub fn count(&self, name: &str, kind: &str) -> usize {
        let asked = |query: &&DnsQuery| query.name == key(name) && query.kind == kind;
        self.state.book.lock().unwrap().queries.iter().filter(asked).count()
    }

    /// A directory for hooks of clients: each line of a file is a TXT record of the name that the file
    /// is called, in lower case and without the last dot. It is read anew for each query.
    pub fn hook_directory(&self) -> &Path {
        self.hooks.path()
    }
}

impl Drop for DnsServer {
    fn drop(&mut self) {
        // Without a receiver the thread has ended already.
        let _ = self.stop.take().map(|stop| stop.send(()));
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
            && !std::thread::panicking()
        {
            panic!("the DNS server panicked: see its message above");
        }
    }
}

async fn serve_udp(socket: Arc<UdpSocket>, state: Arc<State>) {
    let mut buffer = [0; 4_096];
    while let Ok((length, from)) = socket.recv_from(&mut buffer).await {
        let Some((answer, delay)) = state.reply(&buffer[..length], false) else { continue };
        let socket = Arc::clone(&socket);
        tokio::spawn(async move {
            tokio::time::sleep(delay).await;
            // Whoever asked may be gone.
            let _ = socket.send_to(&answer, from).await;
        });
    }
}

async fn serve_tcp(listener: TcpListener, state: Arc<State>) {
    while let Ok((stream, _)) = listener.accept().await {
        tokio::spawn(serve_connection(stream, Arc::clone(&state)));
    }
}

async fn serve_connection(mut stream: TcpStream, state: Arc<State>) -> std::io::Result<()> {
    loop {
        let mut query = vec![0; stream.read_u16().await?.into()];
        stream.read_exact(&mut query).await?;
        if let Some((answer, delay)) = state.reply(&query, true) {
            tokio::time::sleep(delay).await;
            stream.write_u16(answer.len().try_into().expect("an answer that TCP can carry")).await?;
            stream.write_all(&answer).await?;
        }
    }
}

async fn sockets_with_one_port() -> (UdpSocket, TcpListener) {
    loop {
        let udp = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a UDP socket");
        if let Ok(tcp) = TcpListener::bind(udp.local_addr().unwrap()).await {
            return (udp, tcp);
        }
    }
}
