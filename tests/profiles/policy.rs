// SPDX-License-Identifier: Apache-2.0
//! Where cosign signs and ambisign does not, as the document says it.

/// The heading of the table.
pub(crate) const HEADING: &str = "## Where cosign signs and ambisign does not";

/// The profiles of the table, in alphabetical order. Each has a reason.
pub(crate) fn listed() -> Vec<&'static str> {
    let document = include_str!("../../docs/registries.md");
    let (_, after) = document.split_once(HEADING).unwrap();
    let section = after.split_once("\n## ").map_or(after, |(section, _)| section);
    let rows = section.lines().filter_map(|line| line.strip_prefix("| "));
    // The head of the table and the line below it are no rows.
    let rows = rows.skip(1);
    let mut names: Vec<_> = rows
        .map(|row| {
            let (name, reason) = row.split_once(" | ").unwrap();
            assert!(reason.len() > 40, "{name} has no reason: {reason}");
            name
        })
        .collect();
    names.sort_unstable();
    names
}
