//! A DNS server on loopback that answers what a test says.

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex};

use hickory_resolver::proto::op::{Message, MessageType, ResponseCode};
use hickory_resolver::proto::rr::{RData, Record, RecordType};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::task::JoinHandle;

/// What the server says to a query.
#[derive(Clone)]
pub(crate) enum Say {
    /// These addresses, each in the answer to the query for its type.
    Addresses(Vec<IpAddr>),
    /// This code and no record.
    Code(ResponseCode),
    /// Over UDP that the answer is too long for UDP, over TCP these addresses.
    TooLongForUdp(Vec<IpAddr>),
    Nothing,
}

/// A running server; it stops when dropped.
pub(crate) struct Dns {
    pub(crate) address: SocketAddr,
    queries: Arc<Mutex<Vec<(String, RecordType)>>>,
    tasks: [JoinHandle<()>; 2],
}

impl Dns {
    /// A server that answers the n-th query (from 0) for a name and type with `say(name, n)`.
    pub(crate) async fn start(say: impl Fn(&str, usize) -> Say + Send + Sync + 'static) -> Self {
        let (udp, tcp) = sockets_with_one_port().await;
        let address = udp.local_addr().unwrap();
        let queries = Arc::new(Mutex::new(vec![]));
        let script = Arc::new(Script { say: Box::new(say), queries: Arc::clone(&queries) });
        let for_tcp = Arc::clone(&script);
        let over_udp = tokio::spawn(async move {
            let mut buffer = [0; 4096];
            while let Ok((length, from)) = udp.recv_from(&mut buffer).await {
                if let Some(answer) = script.answer(&buffer[..length], true) {
                    udp.send_to(&answer, from).await.unwrap();
                }
            }
        });
        let over_tcp = tokio::spawn(async move {
            while let Ok((stream, _)) = tcp.accept().await {
                tokio::spawn(serve_tcp(stream, Arc::clone(&for_tcp)));
            }
        });
        Self { address, queries, tasks: [over_udp, over_tcp] }
    }

    /// A server that says the same to every query.
    pub(crate) async fn always(say: Say) -> Self {
        Self::start(move |_, _| say.clone()).await
    }

    /// The names and types asked for so far.
    pub(crate) fn queries(&self) -> Vec<(String, RecordType)> {
        self.queries.lock().unwrap().clone()
    }
}

impl Drop for Dns {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

type Play = dyn Fn(&str, usize) -> Say + Send + Sync;

struct Script {
    say: Box<Play>,
    queries: Arc<Mutex<Vec<(String, RecordType)>>>,
}

impl Script {
    fn answer(&self, query: &[u8], udp: bool) -> Option<Vec<u8>> {
        let mut message = Message::from_vec(query).unwrap();
        let question = message.queries[0].clone();
        let asked = (question.name().to_string(), question.query_type());
        let nth = {
            let mut queries = self.queries.lock().unwrap();
            let nth = queries.iter().filter(|earlier| **earlier == asked).count();
            queries.push(asked.clone());
            nth
        };
        message.metadata.message_type = MessageType::Response;
        message.metadata.recursion_available = true;
        let addresses = match (self.say)(asked.0.trim_end_matches('.'), nth) {
            Say::Nothing => return None,
            Say::Code(code) => {
                message.metadata.response_code = code;
                vec![]
            }
            Say::TooLongForUdp(_) if udp => {
                message.metadata.truncation = true;
                vec![]
            }
            Say::TooLongForUdp(addresses) | Say::Addresses(addresses) => addresses,
        };
        for ip in addresses {
            let data = RData::from(ip);
            if data.record_type() == question.query_type() {
                message.add_answer(Record::from_rdata(question.name().clone(), 60, data));
            }
        }
        Some(message.to_vec().unwrap())
    }
}

async fn serve_tcp(mut stream: TcpStream, script: Arc<Script>) -> std::io::Result<()> {
    loop {
        let mut query = vec![0; stream.read_u16().await?.into()];
        stream.read_exact(&mut query).await?;
        if let Some(answer) = script.answer(&query, false) {
            stream.write_u16(answer.len().try_into().unwrap()).await?;
            stream.write_all(&answer).await?;
        }
    }
}

async fn sockets_with_one_port() -> (UdpSocket, TcpListener) {
    loop {
        let udp = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        if let Ok(tcp) = TcpListener::bind(udp.local_addr().unwrap()).await {
            return (udp, tcp);
        }
    }
}
