// SPDX-License-Identifier: Apache-2.0
//! Upper-case letters in the names of repositories. GitHub allows them in owners, but registries do not
//! allow them in repositories. An expression such as `ghcr.io/${{ github.repository }}` can yield a name
//! that every registry refuses and that can only mean the lower-case one.

/// `text` with its registry and repository in lower case; `None` if they already are.
pub(super) fn lower(text: &str) -> Option<String> {
    let name = text.split('@').next().unwrap_or_default();
    // A colon after the last slash begins the tag.
    let last = name.rfind('/').map_or(0, |slash| slash + 1);
    let colon = name.get(last..)?.find(':');
    let end = colon.map_or(name.len(), |colon| last + colon);
    let (path, rest) = text.split_at_checked(end)?;
    let has = path.contains(|c: char| c.is_ascii_uppercase());
    has.then(|| format!("{}{rest}", path.to_ascii_lowercase()))
}

#[cfg(test)]
mod tests {
    use super::lower;

    #[test]
    fn changes_the_repository_and_nothing_else() {
        for (text, lowered) in [
            ("ghcr.io/Acme/App:V1@sha256:AB", "ghcr.io/acme/app:V1@sha256:AB"),
            ("GHCR.io:443/Acme/App:RC1", "ghcr.io:443/acme/app:RC1"),
            ("Acme/App@sha256:00", "acme/app@sha256:00"),
            ("Acme", "acme"),
        ] {
            assert_eq!(lower(text).as_deref(), Some(lowered));
        }
        for text in ["ghcr.io/acme/app:RC1", "a@B", "", ":", "/", "\u{c4}"] {
            assert_eq!(lower(text), None);
        }
    }
}
