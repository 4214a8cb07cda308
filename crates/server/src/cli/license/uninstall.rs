//! `chancery license uninstall`.

use serde_json::json;

use super::{Told, Visit};
use crate::licensing::change::Refusal;
use crate::licensing::intake;

/// What outlives a licence, and why.
const STAYS: &str = "revocation lists, key manifests and the record of what was seen stay, so that an older \
    licence is refused afterwards";

pub(super) async fn run(on: &Visit, confirm: bool) -> anyhow::Result<Told> {
    if !confirm {
        let installed = on.office.snapshot().await?.held.documents.licenses.len();
        anyhow::ensure!(installed > 0, Refusal::NoLicense);
        anyhow::bail!(
            "nothing was removed: give --confirm to remove {installed} licence document(s), and with them any \
             acknowledgement; {STAYS}. Without a licence or an open window, orders are refused at once, and the server does not \
             start again"
        );
    }
    let removed = on.office.uninstall(on.now).await?;
    let mut text = format!("License uninstalled — documents={removed}\n  {}.\n", capitalised(STAYS));
    let jwt_file = Some(intake::jwt_file(&on.config.server.workdir)).filter(|file| file.exists());
    if let Some(file) = &jwt_file {
        text.push_str(&format!(
            "  {} still lies there and is taken up again at the next start: remove it too.\n",
            file.display()
        ));
    }
    Ok(Told { text, json: json!({ "documents": removed, "jwt_file": jwt_file }) })
}

fn capitalised(sentence: &str) -> String {
    let mut rest = sentence.chars();
    rest.next().into_iter().flat_map(char::to_uppercase).chain(rest).collect()
}
