// SPDX-License-Identifier: Apache-2.0
//! The paths of delegated roles (TUF 4.5).
//!
//! In `tough`, `*` also matches `/`, so a role for `*.json` would cover the files of any folder.

use tough::schema::{DelegatedRole, PathSet};

use super::error::Error;
use crate::digest::Digest;

/// Returns `true` if the paths of `role` cover the target `name`.
///
/// # Errors
/// A pattern has more than the two wildcards of the specification, so its meaning is unclear.
pub(super) fn cover(role: &DelegatedRole, name: &str) -> Result<bool, Error> {
    match &role.paths {
        PathSet::Paths(patterns) => {
            let mut covered = false;
            for pattern in patterns {
                let pattern = pattern.value();
                if pattern.contains(['[', ']', '{', '}', '\\']) {
                    return Err(Error::Malformed {
                        file: format!("{}.json", role.name),
                        why: format!("it is delegated the paths `{pattern}`, which are unclear"),
                    });
                }
                covered |= path_matches(pattern, name);
            }
            Ok(covered)
        }
        PathSet::PathHashPrefixes(prefixes) => {
            let digits = Digest::of(name.as_bytes()).hex();
            Ok(prefixes.iter().any(|prefix| digits.starts_with(prefix.value())))
        }
    }
}

/// Wildcards do not match `/`, so each part of the pattern matches one part of the name.
fn path_matches(pattern: &str, name: &str) -> bool {
    let (mut patterns, mut parts) = (pattern.split('/'), name.split('/'));
    loop {
        match (patterns.next(), parts.next()) {
            (Some(pattern), Some(part)) if part_matches(pattern, part) => {}
            (None, None) => return true,
            (Some(_) | None, Some(_) | None) => return false,
        }
    }
}

/// `*` matches any characters, `?` matches one.
///
/// It backtracks only to the last `*`, so the cost is at most the product of the lengths.
fn part_matches(pattern: &str, part: &str) -> bool {
    let (mut pattern, mut part) = (pattern.chars(), part.chars());
    let mut last_star = None;
    loop {
        let mut ahead = pattern.clone();
        match (ahead.next(), part.clone().next()) {
            (None, None) => return true,
            (Some('*'), _) => {
                last_star = Some((ahead.clone(), part.clone()));
                pattern = ahead;
                continue;
            }
            (Some(wanted), Some(found)) if wanted == '?' || wanted == found => {
                pattern = ahead;
                part.next();
                continue;
            }
            (Some(_) | None, Some(_) | None) => {}
        }
        // Let the last `*` match one more character.
        let Some((after, from)) = &mut last_star else {
            return false;
        };
        if from.next().is_none() {
            return false;
        }
        pattern = after.clone();
        part = from.clone();
    }
}

#[cfg(test)]
mod tests {
    use super::path_matches;

    #[test]
    fn wildcards_stay_within_one_part() {
        for (pattern, name, expected) in [
            ("*", "file", true),
            ("*", "a/file", false),
            ("*/*", "a/file", true),
            ("a/*", "a/b/file", false),
            ("a*/file", "a/b/file", false),
            ("**", "a/file", false),
            ("**", "file", true),
            ("*.md", "README.md", true),
            ("*.md", "README.MD", false),
            ("*.md", ".md", true),
            ("*a*b", "xaxbxab", true),
            ("*a*b", "xaxbxabx", false),
            ("foo-?.tgz", "foo-é.tgz", true),
            ("foo-?.tgz", "foo-.tgz", false),
            ("a?b", "a/b", false),
            ("", "file", false),
            ("file", "file", true),
            ("file", "file/", false),
        ] {
            assert_eq!(path_matches(pattern, name), expected, "{pattern} {name}");
        }
    }

    #[test]
    fn many_wildcards_take_no_time() {
        let pattern = "*a".repeat(2_000);
        assert!(!path_matches(&pattern, &"a".repeat(1_999)));
        assert!(path_matches(&pattern, &"a".repeat(2_000)));
    }
}
