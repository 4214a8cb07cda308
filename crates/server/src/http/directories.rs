//! The directories (RFC 8555 §7.1.1): that of the server, and one of each profile, whose resources serve
//! with that profile alone.

use std::collections::HashMap;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use bytes::Bytes;
use chancery_acme::Problem;
use chancery_acme::challenge::ChallengeType;
use chancery_acme::resource::{Directory, DirectoryMeta};
use http::HeaderValue;
use http::header::CONTENT_TYPE;

use super::admission::SignedByAccount;
use super::profile::OfProfile;
use super::urls::{Urls, path};
use crate::app::App;
use crate::config::Server;
use crate::config::policy::Profile;
use crate::service::observer::Issuer;
use crate::service::{Failure, accounts};

/// Every directory as it is sent. They are made once: nothing in them changes while the server runs.
pub(crate) struct Directories {
    of_server: Bytes,
    of_profiles: HashMap<String, Bytes>,
}

impl Directories {
    /// # Errors
    /// Never in fact: they hold strings and booleans.
    pub(crate) fn new(
        urls: &Urls,
        server: &Server,
        issuer: &Issuer,
        profiles: &[Profile],
    ) -> anyhow::Result<Self> {
        let of_profiles = profiles.iter().map(|profile| {
            let directory =
                directory(urls, server, issuer, std::slice::from_ref(profile), Some(&profile.name))?;
            Ok((profile.name.clone(), directory))
        });
        Ok(Self {
            of_server: directory(urls, server, issuer, profiles, None)?,
            of_profiles: of_profiles.collect::<anyhow::Result<_>>()?,
        })
    }

    fn of(&self, profile: Option<&str>) -> Result<Bytes, Problem> {
        let Some(name) = profile else { return Ok(self.of_server.clone()) };
        self.of_profiles.get(name).cloned().ok_or_else(|| {
            Problem::not_found("there is no such profile: the directory of the server lists them")
        })
    }
}

fn directory(
    urls: &Urls,
    server: &Server,
    issuer: &Issuer,
    profiles: &[Profile],
    of_profile: Option<&str>,
) -> anyhow::Result<Bytes> {
    let any = |is: &dyn Fn(&Profile) -> bool| profiles.iter().any(is);
    let offers = |profile: &Profile, is: &dyn Fn(ChallengeType) -> bool| {
        profile.challenges.iter().any(|challenge| is(*challenge))
    };
    let persists = any(&|profile| offers(profile, &|challenge| challenge == ChallengeType::DnsPersist01));
    let directory = Directory {
        new_nonce: urls.of_path(path::NEW_NONCE),
        new_account: urls.of_profile(of_profile, path::NEW_ACCOUNT),
        new_order: urls.of_profile(of_profile, path::NEW_ORDER),
        new_authz: Some(urls.of_profile(of_profile, path::NEW_AUTHZ)),
        revoke_cert: Some(urls.of_path(path::REVOKE_CERT)),
        key_change: Some(urls.of_path(path::KEY_CHANGE)),
        renewal_info: Some(urls.renewal_info()),
        meta: DirectoryMeta {
            terms_of_service: server.terms_of_service.clone(),
            website: server.website.clone(),
            external_account_required: profiles.iter().all(|profile| profile.require_eab),
            profiles: profiles
                .iter()
                .map(|profile| (profile.name.clone(), profile.description.clone()))
                .collect(),
            caa_identities: if any(&|profile| profile.caa) { issuer.domains.clone() } else { Vec::new() },
            subdomain_auth_allowed: any(&|profile| offers(profile, &|challenge| challenge.is_dns())),
            issuer_domain_names: if persists { issuer.for_persist().to_vec() } else { Vec::new() },
            account_hash_prefix: persists.then(|| issuer.account_hash_prefix.clone()),
        },
    };
    Ok(serde_json::to_vec(&directory)?.into())
}

pub(super) async fn get(State(app): State<Arc<App>>, profile: OfProfile) -> Result<Response, Failure> {
    let mut response = Response::new(Body::from(app.directories.of(profile.name())?));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Ok(response)
}

/// A directory is one of the two resources that can be read in both ways (RFC 8555 §6.3).
pub(super) async fn post_as_get(
    State(app): State<Arc<App>>,
    profile: OfProfile,
    request: SignedByAccount,
) -> Result<Response, Failure> {
    request.payload.expect_post_as_get()?;
    accounts::confirm(&app, request.signer).await?;
    get(State(app), profile).await
}
