//! Bodies that are no flattened JWS (RFC 8555 §6.2, RFC 7515 §7.2.2), and its parts that are no base64url.

use serde_json::{Value, json};

use super::case::{Case, Draft, Named, case, malformed};
use super::world::World;

pub(super) fn cases() -> Vec<Case> {
    let mut cases = bodies();
    cases.extend(members());
    cases.extend(base64url());
    cases.extend(headers());
    cases.extend(sizes());
    cases.extend(media_types());
    cases
}

/// A good request to read the account, which each case spoils.
fn read(world: &World, nonce: &str) -> Draft {
    let url = world.owner.account.url.clone();
    world.post(&url, nonce, "")
}

fn bodies() -> Vec<Case> {
    let fixed: [(&str, &'static [u8]); 14] = [
        ("no body", b""),
        ("white space", b" \r\n\t "),
        ("null", b"null"),
        ("a number", b"1"),
        ("a text", br#""eyJ9..""#),
        ("a truth value", b"true"),
        ("an empty array", b"[]"),
        ("an empty object", b"{}"),
        ("half an object", br#"{"protected":"#),
        ("the compact form", b"eyJhbGciOiJFUzI1NiJ9.e30.AAAA"),
        ("bytes that are no text", b"\xff\xfe\xfd\x00\x80"),
        ("a form", b"protected=eyJ9&payload=&signature=AAAA"),
        ("XML", b"<?xml version='1.0'?><!DOCTYPE a [<!ENTITY b SYSTEM 'file:///etc/passwd'>]><a>&b;</a>"),
        ("NUL bytes", b"\0\0\0\0"),
    ];
    let mut cases: Vec<Case> = fixed
        .into_iter()
        .map(|(name, body)| malformed(name, move |w, nonce| read(w, nonce).body(body)))
        .collect();
    let rewritten: Named<fn(String) -> String, 9> = [
        ("text after the JWS", |jws| format!("{jws}x")),
        ("two of them", |jws| format!("{jws}{jws}")),
        ("a byte order mark before it", |jws| format!("\u{feff}{jws}")),
        ("a list of one", |jws| format!("[{jws}]")),
        ("a comment", |jws| format!("/* */{jws}")),
        ("a comma too many", |jws| jws.replacen('}', ",}", 1)),
        ("apostrophes for quotation marks", |jws| jws.replace('"', "'")),
        ("the JWS as a text", |jws| Value::from(jws).to_string()),
        ("a NUL after it", |jws| format!("{jws}\0")),
    ];
    for (name, rewrite) in rewritten {
        cases.push(malformed(name, move |w, nonce| read(w, nonce).rewrite(rewrite)));
    }
    cases.push(malformed("UTF-16", |w, nonce| {
        let utf16: Vec<u8> =
            read(w, nonce).jws().to_string().encode_utf16().flat_map(u16::to_le_bytes).collect();
        read(w, nonce).body(utf16)
    }));
    cases.push(
        malformed("an array of the members", |w, nonce| {
            let jws = read(w, nonce).jws();
            let members = json!([jws["protected"], jws["payload"], jws["signature"], null, null]);
            read(w, nonce).body(members.to_string())
        })
        .says("expected a JSON object"),
    );
    cases.push(malformed("the general form", |w, nonce| {
        let jws = read(w, nonce).jws();
        let signature = json!({ "protected": jws["protected"], "signature": jws["signature"] });
        let general = json!({ "payload": jws["payload"], "signatures": [signature] });
        read(w, nonce).body(general.to_string())
    }));
    cases
}

fn members() -> Vec<Case> {
    let mut cases = Vec::new();
    for member in ["protected", "payload", "signature"] {
        let edited = |what: &str, edit: fn(&mut Value, &str)| {
            malformed(format!("`{member}` {what}"), move |w, nonce| {
                read(w, nonce).edit(|jws| edit(jws, member))
            })
        };
        cases.push(edited("is missing", |jws, member| {
            jws.as_object_mut().unwrap().remove(member);
        }));
        cases.push(edited("is null", |jws, member| jws[member] = Value::Null));
        cases.push(edited("is a number", |jws, member| jws[member] = json!(1)));
        cases.push(edited("is an array", |jws, member| jws[member] = json!([jws[member]])));
        cases.push(edited("is an object", |jws, member| jws[member] = json!({})));
        cases.push(
            malformed(format!("`{member}` stands twice"), move |w, nonce| {
                read(w, nonce).rewrite(|jws| jws.replacen('{', &format!(r#"{{"{member}":"","#), 1))
            })
            .says(member),
        );
    }
    for (member, value) in [
        ("header", json!({})),
        ("header", Value::Null),
        ("header", json!({ "alg": "none" })),
        ("signatures", json!([])),
        ("signatures", Value::Null),
    ] {
        cases.push(
            malformed(format!("`{member}` is {value}"), move |w, nonce| {
                read(w, nonce).edit(|jws| jws[member] = value.clone())
            })
            .says(format!("`{member}`")),
        );
    }
    cases
}

/// RFC 7515 §2: without padding, white space or anything else; RFC 4648 §3.5: and one way to write each.
fn base64url() -> Vec<Case> {
    let mut cases = Vec::new();
    let spoiled: Named<fn(String) -> String, 6> = [
        ("padded", |text| format!("{text}=")),
        ("padded twice", |text| format!("{text}==")),
        ("with a line break", |text| format!("{text}\n")),
        ("with a space", |text| format!(" {text}")),
        ("in the other alphabet", |text| format!("{text}+/+/")),
        ("with a full stop", |text| format!("{text}.AAAA")),
    ];
    for (how, spoil) in spoiled {
        // Signed as they are, so that nothing but the form is wrong.
        cases.push(malformed(format!("a header {how}"), move |w, nonce| read(w, nonce).encode_header(spoil)));
        cases.push(malformed(format!("a payload {how}"), move |w, nonce| {
            read(w, nonce).payload("{}").encode_payload(spoil)
        }));
        cases.push(malformed(format!("a signature {how}"), move |w, nonce| {
            read(w, nonce)
                .edit(|jws| jws["signature"] = json!(spoil(jws["signature"].as_str().unwrap().to_owned())))
        }));
    }
    // 64 octets need 86 characters, the last of which has four bits that are not used.
    cases.push(malformed("a signature with bits left over", |w, nonce| {
        read(w, nonce).edit(|jws| {
            let text = jws["signature"].as_str().unwrap();
            let (rest, last) = text.split_at(text.len() - 1);
            let next = match last {
                "A" => "B",
                "Q" => "R",
                "g" => "h",
                _ => "x",
            };
            jws["signature"] = json!(format!("{rest}{next}"));
        })
    }));
    cases.push(malformed("a payload of a length that there is not", |w, nonce| {
        read(w, nonce).encode_payload(|_| "A".to_owned())
    }));
    cases
}

/// Protected headers that are not the JSON they should be; single members are for other tables.
fn headers() -> Vec<Case> {
    let mut cases = Vec::new();
    let whole: [(&str, &'static [u8]); 8] = [
        ("an empty header", b""),
        ("a header that is null", b"null"),
        ("a header that is a text", br#""alg""#),
        ("a header that is an empty array", b"[]"),
        ("a header that is an empty object", b"{}"),
        ("a header that is half an object", br#"{"alg":"ES256""#),
        ("a header that is no text", b"\xff\xff"),
        ("a header with an invalid escape", br#"{"alg":"\x45S256"}"#),
    ];
    for (name, header) in whole {
        cases.push(malformed(name, move |w, nonce| read(w, nonce).protected(header)));
    }
    cases.push(
        malformed("an array of the header's members", |w, nonce| {
            let draft = read(w, nonce);
            let header = draft.header();
            let members = json!(["ES256", nonce, header["url"], null, header["kid"], null, null]);
            draft.protected(members.to_string())
        })
        .says("expected a JSON object"),
    );
    for member in ["alg", "nonce", "url", "kid"] {
        cases.push(
            malformed(format!("a header with `{member}` twice"), move |w, nonce| {
                let draft = read(w, nonce);
                let header = draft.header().to_string();
                let twice = header.replacen('{', &format!(r#"{{"{member}":"x","#), 1);
                draft.protected(twice)
            })
            .says("duplicate"),
        );
    }
    for (member, value) in [
        ("crit", json!(["exp"])),
        ("crit", json!([])),
        ("crit", Value::Null),
        ("crit", json!(["nonce", "url"])),
        ("b64", json!(false)),
        ("b64", json!(true)),
        ("b64", Value::Null),
    ] {
        cases.push(
            malformed(format!("a header with `{member}` {value}"), move |w, nonce| {
                read(w, nonce).set(member, value.clone())
            })
            .says(format!("`{member}`")),
        );
    }
    cases.push(malformed("an unencoded payload (RFC 7797)", |w, nonce| {
        read(w, nonce)
            .set("b64", false)
            .set("crit", json!(["b64"]))
            .payload("{}")
            .encode_payload(|_| "{}".to_owned())
    }));
    cases
}

/// An array in an array in an array …
fn deep(levels: usize) -> String {
    format!("{}{}", "[".repeat(levels), "]".repeat(levels))
}

fn sizes() -> Vec<Case> {
    vec![
        malformed("a header with a key of many levels", |w, nonce| {
            let draft = read(w, nonce);
            let header =
                draft.header().to_string().replacen('{', &format!(r#"{{"jwk":{},"#, deep(10_000)), 1);
            draft.protected(header)
        }),
        malformed("a body with a payload of many levels", |w, nonce| {
            read(w, nonce).rewrite(|jws| jws.replacen('{', &format!(r#"{{"payload":{},"#, deep(8_000)), 1))
        }),
        malformed("a body of open brackets", |w, nonce| read(w, nonce).body("[".repeat(60_000))),
        malformed("a payload of many levels", |w, nonce| {
            read(w, nonce).payload(format!(r#"{{"contact":{}}}"#, deep(10_000)))
        }),
        case("a body of more than 64 KiB", 413, "malformed", |w, nonce| {
            read(w, nonce).rewrite(|jws| format!("{jws}{}", " ".repeat(66_000)))
        }),
        case("a payload of more than 64 KiB", 413, "malformed", |w, nonce| {
            read(w, nonce).payload(format!(r#"{{"contact":["mailto:{}@a.test"]}}"#, "a".repeat(66_000)))
        }),
    ]
}

/// RFC 8555 §6.2: status 415.
fn media_types() -> Vec<Case> {
    let wrong = [
        "application/json",
        "application/jose",
        "application/jose+json-seq",
        "application/jwk+json",
        "text/plain",
        "text/html; application/jose+json",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "*/*",
        "jose+json",
        ";application/jose+json",
        "application/jose+json, application/jose+json",
    ];
    let mut cases: Vec<Case> = wrong
        .into_iter()
        .map(|media| {
            case(format!("the media type {media}"), 415, "malformed", move |w, nonce| {
                read(w, nonce).media(media)
            })
            .says("application/jose+json")
        })
        .collect();
    cases.push(case("no media type", 415, "malformed", |w, nonce| read(w, nonce).media("")));
    cases.push(case("a media type that is no text", 415, "malformed", |w, nonce| {
        read(w, nonce).media("").field("content-type", b"application/jose+json\xff")
    }));
    cases.push(malformed("a compressed body", |w, nonce| {
        // The first bytes of a gzip stream; the server takes bodies as they are.
        read(w, nonce).field("content-encoding", "gzip").body(b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03")
    }));
    cases
}
