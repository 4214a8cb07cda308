//! What clients are sent (RFC 8555 §7.1).

use chancery_time::Timestamp;
use serde::Serialize;

use crate::challenge::ChallengeType;
use crate::identifier::Identifier;
use crate::jwk::Jwk;
use crate::state::{AccountStatus, AuthorizationStatus, ChallengeStatus, OrderStatus};

/// The directory (RFC 8555 §7.1.1): only what works stands in it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Directory {
    /// Where fresh nonces are had.
    pub new_nonce: String,
    /// Where accounts are made.
    pub new_account: String,
    /// Where orders are made.
    pub new_order: String,
    /// About the server.
    pub meta: DirectoryMeta,
}

/// About the server (RFC 8555 §9.7.6).
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DirectoryMeta {
    /// Where the terms of service can be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub terms_of_service: Option<String>,
    /// Where the server's operator can be read of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub website: Option<String>,
    /// Whether new accounts need an external account binding.
    pub external_account_required: bool,
}

/// An account (RFC 8555 §7.1.2).
#[derive(Debug, Serialize)]
pub struct Account<'a> {
    /// Its state.
    pub status: AccountStatus,
    /// Where its holder can be reached.
    pub contact: &'a [String],
    /// Its key; not in the RFC, but clients have come to rely on it.
    pub key: &'a Jwk,
    /// Where its orders are listed.
    pub orders: String,
}

/// An account's orders (RFC 8555 §7.1.2.1).
#[derive(Debug, Serialize)]
pub struct OrderList {
    /// The orders' URLs.
    pub orders: Vec<String>,
}

/// An order (RFC 8555 §7.1.3).
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Order<'a> {
    /// Its state.
    pub status: OrderStatus,
    /// When it lapses.
    pub expires: Timestamp,
    /// What it is for.
    pub identifiers: &'a [Identifier],
    /// The client's wish for notBefore.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_before: Option<Timestamp>,
    /// The client's wish for notAfter.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_after: Option<Timestamp>,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<&'a serde_json::value::RawValue>,
    /// Its authorizations.
    pub authorizations: Vec<String>,
    /// Where it is finalized.
    pub finalize: String,
    /// Where its certificate is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub certificate: Option<String>,
}

/// An authorization (RFC 8555 §7.1.4).
#[derive(Debug, Serialize)]
pub struct Authorization<'a> {
    /// Its state.
    pub status: AuthorizationStatus,
    /// When it lapses.
    pub expires: Timestamp,
    /// What it is for.
    pub identifier: &'a Identifier,
    /// How it can be had.
    pub challenges: Vec<Challenge<'a>>,
}

/// A challenge (RFC 8555 §8).
#[derive(Debug, Serialize)]
pub struct Challenge<'a> {
    /// Its type.
    #[serde(rename = "type")]
    pub kind: ChallengeType,
    /// Where it is answered.
    pub url: String,
    /// Its state.
    pub status: ChallengeStatus,
    /// The token.
    pub token: &'a str,
    /// When it was passed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub validated: Option<Timestamp>,
    /// Why it was not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<&'a serde_json::value::RawValue>,
}
