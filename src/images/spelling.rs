// SPDX-License-Identifier: Apache-2.0
//! Upper-case letters in the names of repositories. GitHub's owners may have them and repositories
//! may not, so an expression such as `ghcr.io/${{ github.repository }}` yields a name that no
//! registry takes, and that can only mean the one in lower case.

use crate::outcome::Warning;

/// `text` with its registry and repository in lower case, and what to say about that.
pub(super) fn lower(text: String, place: &str) -> (String, Option<Warning>) {
    let name = text.split('@').next().unwrap_or_default();
    // A colon after the last slash begins the tag.
    let last = name.rfind('/').map_or(0, |slash| slash + 1);
    let colon = name.get(last..).and_then(|name| name.find(':'));
    let end = colon.map_or(name.len(), |colon| last + colon);
    let (Some(path), Some(rest)) = (text.get(..end), text.get(end..)) else {
        return (text, None);
    };
    if !path.contains(|c: char| c.is_ascii_uppercase()) {
        return (text, None);
    }
    let lowered = format!("{}{rest}", path.to_ascii_lowercase());
    let message = format!("{place} is read in lower case, as repositories are: `{lowered}`");
    let warning = Warning {
        code: "images/lower-case",
        message,
    };
    (lowered, Some(warning))
}

#[cfg(test)]
mod tests {
    use super::lower;

    #[test]
    fn changes_the_repository_and_nothing_else() {
        for (text, lowered) in [
            (
                "ghcr.io/Acme/App:V1@sha256:AB",
                "ghcr.io/acme/app:V1@sha256:AB",
            ),
            ("GHCR.io:443/Acme/App:RC1", "ghcr.io:443/acme/app:RC1"),
            ("Acme/App@sha256:00", "acme/app@sha256:00"),
            ("Acme", "acme"),
        ] {
            let (found, warning) = lower(text.to_owned(), "image 1");
            assert_eq!(found, lowered);
            assert_eq!(warning.unwrap().code, "images/lower-case");
        }
        for text in ["ghcr.io/acme/app:RC1", "a@B", "", ":", "/", "\u{c4}"] {
            let (found, warning) = lower(text.to_owned(), "image 1");
            assert_eq!((found.as_str(), warning), (text, None));
        }
    }
}
