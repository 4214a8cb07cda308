//! Asking the vendor's portal for newer documents, and taking what it answers.
//!
//! | room | what it holds |
//! |---|---|
//! | [`schedule`] | when the portal is asked: pure |
//! | [`question`] | what is sent, which is all that is ever sent |
//! | [`client`] | the one client, and the way to the portal |
//! | [`desk`] | a question from its beginning to what became of the answer |
//! | [`taking`] | what an answer brought, into the store |
//! | [`failure`] | why there is no answer, or none that counts |
//! | [`poller`] | all of it in the running server |

pub(crate) mod client;
pub(crate) mod desk;
pub(crate) mod failure;
pub(crate) mod poller;
mod question;
pub(crate) mod schedule;
pub(crate) mod taking;

pub(crate) use desk::{Desk, Purpose};
pub(crate) use failure::Unasked;
pub(crate) use taking::Answer;

use chancery_license::state::CallHome;

use crate::store::portal::Contact;

/// How it stands with the portal, for the state function. `is_online` says whether one is asked at all.
pub(crate) const fn call_home(contact: &Contact, is_online: bool) -> CallHome {
    match contact {
        _ if !is_online => CallHome::Disabled,
        Contact { is_failing: true, .. } => CallHome::Failing,
        Contact { answered_at: Some(_), .. } => CallHome::Succeeding,
        // It was not asked yet.
        Contact { answered_at: None, .. } => CallHome::Disabled,
    }
}

#[cfg(test)]
mod tests {
    use chancery_time::Timestamp;

    use super::*;

    #[test]
    fn a_failure_counts_until_the_next_answer_and_only_online() {
        let answered_at = Some(Timestamp::from_unix_seconds(1));
        for (answered_at, is_failing, expected) in [
            (None, false, CallHome::Disabled),
            (None, true, CallHome::Failing),
            (answered_at, true, CallHome::Failing),
            (answered_at, false, CallHome::Succeeding),
        ] {
            let contact = Contact { answered_at, is_failing, ..Contact::default() };
            assert_eq!(call_home(&contact, true), expected);
            assert_eq!(call_home(&contact, false), CallHome::Disabled);
        }
    }

    /// Who searches for whatever could open a connection for licences finds one file.
    #[test]
    fn nothing_else_makes_a_client() {
        let sources = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let (mut folders, mut found) = (vec![sources], Vec::new());
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else if std::fs::read_to_string(&path).unwrap().contains(concat!("reqwest", "::")) {
                    found.push(path);
                }
            }
        }
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].ends_with("licensing/portal/client.rs"), "{found:?}");
    }
}
