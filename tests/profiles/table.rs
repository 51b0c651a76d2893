// SPDX-License-Identifier: Apache-2.0
//! The matrix as a table. It is written past the capture of the test harness: whoever runs the tests
//! sees it.

use std::io::Write as _;

use crate::cell::Outcome;
use crate::profile::{Profile, Situation};

/// Prints the table, and what each profile does otherwise.
pub(crate) fn print(profiles: &[Profile], outcomes: &[(usize, Situation, Outcome)]) {
    let mut lines = vec!["\n== profiles of registries".to_owned()];
    let head = Situation::ALL.map(Situation::name);
    lines.push(row("", head));
    for (at, profile) in profiles.iter().enumerate() {
        let cells = Situation::ALL.map(|situation| {
            let mut found = outcomes.iter();
            let found = found.find(|(of, one, _)| *of == at && *one == situation);
            match found {
                Some((.., Outcome::Expected { short, .. })) => short.as_str(),
                Some((.., Outcome::Failed(_))) => "FAILED",
                None => "not played",
            }
        });
        lines.push(row(profile.name, cells));
    }
    for profile in profiles {
        for deviation in &profile.deviations {
            let (what, source) = (deviation.what, deviation.source);
            lines.push(format!("{}: {what} ({source})", profile.name));
        }
    }
    let _printed = writeln!(std::io::stdout(), "{}\n", lines.join("\n"));
}

fn row(name: &str, cells: [&str; 4]) -> String {
    let [one, index, fifty, writer] = cells;
    let line = format!("{name:<42} {one:<34} {index:<34} {fifty:<34} {writer}");
    line.trim_end().to_owned()
}
