//! What an auditor keeps elsewhere: verifier keys and checkpoints.

use std::path::Path;

use anyhow::{Context, bail};
use chancery_audit::{Checkpoint, CheckpointError, NoteError, VerifierKey};
use chancery_files::read_text;

use super::Program;

/// No key and no note is longer, not even one with the signatures of witnesses.
const MAX_BYTES: u64 = 64 * 1024;

/// A verifier key as it stands, or the file that holds it.
///
/// # Errors
/// When it is neither.
pub(super) fn key<P: Program>(key_or_file: &str) -> anyhow::Result<VerifierKey> {
    // A key has two `+` in it, which hardly any path has.
    if let Ok(key) = key_or_file.parse() {
        return Ok(key);
    }
    let text = read_text(Path::new(key_or_file), MAX_BYTES).with_context(|| {
        format!("--key takes a verifier key, as `{} checkpoint --key` prints it, or its file", P::COMMAND)
    })?;
    text.trim().parse().with_context(|| key_or_file.to_owned())
}

/// A checkpoint in a file, its signature checked with the key of the log that it is to be held against.
///
/// # Errors
/// When it cannot be read, is of another log, or is not to be believed.
pub(super) fn checkpoint<P: Program>(file: &Path, key: &VerifierKey) -> anyhow::Result<Checkpoint> {
    let note = read_text(file, MAX_BYTES)?;
    Checkpoint::open(&note, key).or_else(|error| {
        let origin = note.lines().next().unwrap_or_default();
        bail!("{}: {}", file.display(), explain::<P>(error, origin, key))
    })
}

/// Why a note whose first line is `origin` does not open with that key.
fn explain<P: Program>(error: CheckpointError, origin: &str, key: &VerifierKey) -> String {
    let name = key.name();
    match error {
        CheckpointError::Note(NoteError::UnknownKey) if origin != name => {
            let what = match (origin.rsplit_once('/'), name.rsplit_once('/')) {
                (Some((theirs, node)), Some((ours, _))) if theirs == ours => {
                    format!("another node's log (name it with --node {})", node.escape_debug())
                }
                _ => "another installation's log".to_owned(),
            };
            format!("the checkpoint is of {what}: it says `{}`, this log is `{name}`", origin.escape_debug())
        }
        CheckpointError::Note(NoteError::UnknownKey) => {
            format!("the checkpoint is of `{name}`, but was signed with another key than {key}")
        }
        CheckpointError::Note(NoteError::BadSignature) => {
            "the checkpoint was changed after it was signed".to_owned()
        }
        CheckpointError::Note(NoteError::Malformed) => format!(
            "this is no checkpoint, as `{} checkpoint` prints it; every byte of it counts, its blank line and the \
             line break at its end included",
            P::COMMAND
        ),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use chancery_audit::{Head, Node, Secret, Signer};

    use super::*;
    use crate::commands::testing::Anything;

    fn signer(installation: &str, node: &str, seed: u8) -> Signer {
        let log = format!("chancery-audit/{installation}");
        Signer::new(&log, &Node::new(node).unwrap(), &[seed; 32]).unwrap()
    }

    fn note(signer: &Signer, node: &str) -> String {
        let head = Head::genesis(&Secret::new(&[1; 32]), "installation", &Node::new(node).unwrap());
        Checkpoint::sign(signer, &head).unwrap().note().to_owned()
    }

    #[test]
    fn a_key_is_given_itself_or_in_a_file() {
        let files = tempfile::tempdir().unwrap();
        let wanted = signer("INST-A", "ca1", 1).verifier_key().clone();
        let file = files.path().join("key");
        std::fs::write(&file, format!("{wanted}\n")).unwrap();
        assert_eq!(key::<Anything>(&wanted.to_string()).unwrap(), wanted);
        assert_eq!(key::<Anything>(file.to_str().unwrap()).unwrap(), wanted);
        std::fs::write(&file, "no key").unwrap();
        assert!(
            format!("{:#}", key::<Anything>(file.to_str().unwrap()).unwrap_err())
                .contains("not a verifier key")
        );
        assert!(
            format!("{:#}", key::<Anything>("neither").unwrap_err()).contains("--key takes a verifier key")
        );
    }

    #[test]
    fn a_checkpoint_that_does_not_open_says_why() {
        let files = tempfile::tempdir().unwrap();
        let file = files.path().join("checkpoint");
        let ours = signer("INST-A", "ca1", 1);
        let sound = note(&ours, "ca1");
        std::fs::write(&file, &sound).unwrap();
        assert_eq!(checkpoint::<Anything>(&file, ours.verifier_key()).unwrap().note(), sound);

        for (kept, words) in [
            (note(&signer("INST-A", "ca2", 1), "ca2"), "another node's log (name it with --node ca2)"),
            (note(&signer("INST-B", "ca1", 1), "ca1"), "another installation's log"),
            (note(&signer("INST-A", "ca1", 2), "ca1"), "signed with another key"),
            (sound.replacen("\n0\n", "\n1\n", 1), "changed after it was signed"),
            (sound.trim_end().to_owned(), "this is no checkpoint"),
            (String::new(), "this is no checkpoint"),
        ] {
            std::fs::write(&file, &kept).unwrap();
            let refused = checkpoint::<Anything>(&file, ours.verifier_key()).unwrap_err().to_string();
            assert!(refused.contains(words) && refused.contains("checkpoint: "), "{words}: {refused}");
        }
    }
}
