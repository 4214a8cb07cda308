//! One question to one server, and its answer.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use hickory_resolver::net::NetError;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::net::udp::UdpClientStream;
use hickory_resolver::net::xfer::{DnsRequestSender as _, FirstAnswer as _};
use hickory_resolver::proto::op::{DnsRequest, DnsRequestOptions, Message, MessageType, Query, ResponseCode};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::settings::Protocol;
use super::trouble::Trouble;

/// A question, and how it is put.
#[derive(Debug, Clone)]
pub(super) struct Question {
    pub(super) query: Query,
    /// Whether the server shall ask others (RD).
    pub(super) recursion: bool,
    /// Whether it shall say if the answer is authentic (RFC 6840 §5.7).
    pub(super) dnssec: bool,
}

impl Question {
    /// Asks `server` once. The answer is one to this question; what it says has not been looked at.
    pub(super) async fn ask(
        &self,
        server: SocketAddr,
        protocol: Protocol,
        timeout: Duration,
    ) -> Result<Message, Trouble> {
        let exchange = async {
            let answer = self.put(server, protocol, true).await?;
            // A server from before EDNS (RFC 6891 §7).
            let old = matches!(answer.response_code, ResponseCode::FormErr | ResponseCode::NotImp);
            if old { self.put(server, protocol, false).await } else { Ok(answer) }
        };
        tokio::time::timeout(timeout, exchange).await.unwrap_or(Err(Trouble::Silence))
    }

    async fn put(&self, server: SocketAddr, protocol: Protocol, edns: bool) -> Result<Message, Trouble> {
        if protocol == Protocol::Udp {
            match self.over_udp(server, edns).await {
                Ok(answer) if !answer.truncation => return self.checked(answer),
                // Truncated, or perhaps forged: TCP tells.
                Ok(_) | Err(NetError::QueryCaseMismatch) => {}
                Err(error) => return Err(error.into()),
            }
        }
        let answer = self.over_tcp(server, edns).await?;
        if answer.truncation {
            return Err(Trouble::Broken("truncated its answer even over TCP".to_owned()));
        }
        self.checked(answer)
    }

    /// From a port, with an identifier and with a spelling of the name that a forger has to guess
    /// (RFC 5452 §9).
    async fn over_udp(&self, server: SocketAddr, edns: bool) -> Result<Message, NetError> {
        let stream = UdpClientStream::builder(server, TokioRuntimeProvider::default())
            .with_timeout(Some(Duration::MAX))
            .with_max_retries(1);
        let answer = stream.build().send_message(self.request(edns, true)).first_answer().await?;
        Ok(answer.into_message())
    }

    async fn over_tcp(&self, server: SocketAddr, edns: bool) -> Result<Message, Trouble> {
        let question = self.request(edns, false);
        let bytes = question.to_vec().map_err(|error| Trouble::Broken(error.to_string()))?;
        let length =
            u16::try_from(bytes.len()).map_err(|_| Trouble::Broken("was asked too much".to_owned()))?;
        let mut stream = TcpStream::connect(server).await?;
        stream.write_all(&[&length.to_be_bytes(), bytes.as_slice()].concat()).await?;
        let mut answer = vec![0; stream.read_u16().await?.into()];
        stream.read_exact(&mut answer).await?;
        let answer = Message::from_vec(&answer).map_err(|error| Trouble::from(NetError::from(error)))?;
        if answer.id != question.id {
            return Err(Trouble::Broken("answered another question".to_owned()));
        }
        Ok(answer)
    }

    fn request(&self, edns: bool, udp: bool) -> DnsRequest {
        let mut options = DnsRequestOptions::default();
        options.use_edns = edns;
        options.edns_set_dnssec_ok = self.dnssec;
        options.recursion_desired = self.recursion;
        options.case_randomization = udp;
        let request = DnsRequest::from_query(self.query.clone(), options);
        let original = request.original_query().cloned();
        let (mut message, options) = request.into_parts();
        message.metadata.authentic_data = self.dnssec;
        DnsRequest::new(message, options).with_original_query(original)
    }

    fn checked(&self, answer: Message) -> Result<Message, Trouble> {
        if answer.message_type != MessageType::Response || answer.queries != [self.query.clone()] {
            return Err(Trouble::Broken("answered another question".to_owned()));
        }
        Ok(answer)
    }
}

impl From<NetError> for Trouble {
    fn from(error: NetError) -> Self {
        match error {
            NetError::Timeout => Self::Silence,
            NetError::Io(error) => Self::of_io(&error),
            other => Self::Broken(format!("gave an answer that cannot be read ({other})")),
        }
    }
}

impl From<io::Error> for Trouble {
    fn from(error: io::Error) -> Self {
        Self::of_io(&error)
    }
}
