use std::io::{Read as _, Write as _};
use std::net::{TcpStream, UdpSocket};

use hickory_resolver::proto::op::{Edns, Message, Query, ResponseCode};
use hickory_resolver::proto::rr::{RData, RecordType};

use super::record::fqdn;
use super::*;

fn query(name: &str, kind: RecordType) -> Message {
    let mut message = Message::query();
    message.metadata.recursion_desired = true;
    message.add_query(Query::query(fqdn(name), kind));
    message
}

fn over_udp(server: &DnsServer, message: &Message) -> Message {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.send_to(&message.to_vec().unwrap(), server.address()).unwrap();
    let mut answer = [0; 4_096];
    let length = socket.recv(&mut answer).unwrap();
    Message::from_vec(&answer[..length]).unwrap()
}

fn over_tcp(server: &DnsServer, message: &Message) -> Message {
    let mut stream = TcpStream::connect(server.address()).unwrap();
    let bytes = message.to_vec().unwrap();
    stream.write_all(&u16::try_from(bytes.len()).unwrap().to_be_bytes()).unwrap();
    stream.write_all(&bytes).unwrap();
    let mut length = [0; 2];
    stream.read_exact(&mut length).unwrap();
    let mut answer = vec![0; u16::from_be_bytes(length).into()];
    stream.read_exact(&mut answer).unwrap();
    Message::from_vec(&answer).unwrap()
}

fn txt(answer: &Message) -> Vec<String> {
    let text = |data: &RData| match data {
        RData::TXT(txt) => Some(String::from_utf8(txt.txt_data.concat()).unwrap()),
        _ => None,
    };
    answer.answers.iter().filter_map(|record| text(&record.data)).collect()
}

#[test]
fn records_and_hooks_are_served_as_they_stand() {
    let server = DnsServer::start();
    let question = query("_acme-challenge.A.test", RecordType::TXT);
    assert_eq!(over_udp(&server, &question).response_code, ResponseCode::NXDomain);

    server.set_txt("_acme-challenge.a.test.", &["one", "two"]);
    std::fs::write(server.hook_directory().join("_acme-challenge.a.test"), "three\nfour\n").unwrap();
    assert_eq!(txt(&over_udp(&server, &question)), ["one", "two", "three", "four"]);
    assert_eq!(txt(&over_tcp(&server, &question)), ["one", "two", "three", "four"]);

    server.set_txt("_acme-challenge.a.test", &["five"]);
    std::fs::remove_file(server.hook_directory().join("_acme-challenge.a.test")).unwrap();
    assert_eq!(txt(&over_udp(&server, &question)), ["five"]);
    assert_eq!(over_udp(&server, &query("a.test", RecordType::TXT)).response_code, ResponseCode::NoError);

    server.clear("_acme-challenge.a.test");
    assert_eq!(over_udp(&server, &question).response_code, ResponseCode::NXDomain);
    assert_eq!(server.count("_acme-challenge.a.test", "TXT"), 5);
    assert_eq!(server.queries().iter().filter(|query| query.tcp).count(), 1);
}

#[test]
fn aliases_are_followed_for_whoever_asks_to_recurse() {
    let server = DnsServer::start();
    server.add("a.test", DnsRecord::Cname("b.test".to_owned()));
    server.set_txt("b.test", &["there"]);
    let mut question = query("a.test", RecordType::TXT);
    assert_eq!(over_udp(&server, &question).answers.len(), 2);
    question.metadata.recursion_desired = false;
    assert_eq!(over_udp(&server, &question).answers.len(), 1);
}

#[test]
fn what_udp_cannot_carry_is_truncated() {
    let server = DnsServer::start();
    server.set_txt("a.test", &["v".repeat(700).as_str()]);
    let mut question = query("a.test", RecordType::TXT);
    assert!(over_udp(&server, &question).truncation);
    assert_eq!(txt(&over_tcp(&server, &question))[0].len(), 700);
    let mut edns = Edns::new();
    edns.set_max_payload(1_232);
    question.set_edns(edns);
    assert!(!over_udp(&server, &question).truncation);
}

#[test]
fn a_port_is_free_again_when_its_server_is_dropped() {
    let server = DnsServer::start();
    let address = server.address();
    drop(server);
    UdpSocket::bind(address).unwrap();
}
