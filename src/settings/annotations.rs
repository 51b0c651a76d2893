// SPDX-License-Identifier: Apache-2.0
//! The annotations that a signer includes in the statement, or that a verifier requires.

use std::collections::BTreeMap;

use ambisign_host::Warning;

use super::SettingsError;
use super::value::{Origin, Sourced};
use crate::cli::warnings::COMMA;

/// The name of the flag.
const NAME: &str = "annotations";

/// Parses `key=value`. The value may be empty, and may have any characters except control characters.
///
/// # Errors
/// The key is missing, or there are control characters.
pub(super) fn pair(text: &str, from: &Origin) -> Result<(String, String), SettingsError> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() && !text.contains(char::is_control) => {
            Ok((key.to_owned(), value.to_owned()))
        }
        Some(_) | None => Err(Sourced { value: (), from: from.clone() }
            .wrong("a pair `key=value` without control characters")),
    }
}

/// The annotations to sign: those of the flags, otherwise those of the variable, one per line.
///
/// # Errors
/// Those of [`pair`], or a repeated key.
pub(super) fn signed(
    flags: Vec<String>,
    variable: Option<&str>,
    warnings: &mut Vec<Warning>,
) -> Result<BTreeMap<String, String>, SettingsError> {
    let (texts, from) = if flags.is_empty() {
        let lines = variable.unwrap_or_default().lines().map(str::trim);
        let lines = lines.filter(|line| !line.is_empty()).map(str::to_owned);
        (lines.collect(), Origin::Variable(NAME))
    } else {
        (flags, Origin::Flag(NAME))
    };
    let mut annotations = BTreeMap::new();
    for text in texts {
        let (key, value) = pair(&text, &from)?;
        warnings.extend(comma(&key, &value));
        if annotations.insert(key, value).is_some() {
            let name = from.to_string();
            return Err(SettingsError::Twice { name });
        }
    }
    Ok(annotations)
}

/// Warns about a comma, after which cosign would start another annotation.
fn comma(key: &str, value: &str) -> Option<Warning> {
    let (_, rest) = value.split_once(',')?;
    rest.contains('=').then(|| Warning {
        code: COMMA,
        message: format!(
            "the value of the annotation `{key}` is everything after the first `=`, including commas: \
             use a separate `-a` for each annotation"
        ),
    })
}

#[cfg(test)]
mod tests {
    use ambisign_host::Explain as _;

    use super::signed;

    #[test]
    fn are_pairs_that_differ() {
        let mut warnings = Vec::new();
        let flags = ["a=1", "b=x=y,z", "c="].map(str::to_owned).to_vec();
        let said = signed(flags, Some("d=4"), &mut warnings).unwrap();
        let said: Vec<_> = said.iter().map(|(k, v)| format!("{k}:{v}")).collect();
        assert_eq!(said, ["a:1", "b:x=y,z", "c:"]);
        assert!(warnings.is_empty());
        let said = signed(Vec::new(), Some("\na=1,b=2\r\n c = 3 \n"), &mut warnings).unwrap();
        assert_eq!((said["a"].as_str(), said["c "].as_str()), ("1,b=2", " 3"));
        assert_eq!(warnings[0].code, "settings/comma");
    }

    #[test]
    fn are_refused_without_a_key_twice_or_with_control_characters() {
        for (text, code) in [
            ("a", "settings/value"),
            ("=1", "settings/value"),
            ("a=\u{1b}[2J", "settings/value"),
            ("a=1\u{0}", "settings/value"),
            ("a=1\na=2", "settings/twice"),
        ] {
            let error = signed(Vec::new(), Some(text), &mut Vec::new()).unwrap_err();
            assert_eq!(error.code(), code, "{text:?}");
            assert!(error.to_string().contains("AMBISIGN_ANNOTATIONS"));
        }
        let flags = vec!["a=1\n::set-output name=x::y".to_owned()];
        assert!(signed(flags, None, &mut Vec::new()).is_err());
    }
}
