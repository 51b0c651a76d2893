// SPDX-License-Identifier: Apache-2.0
//! `explain`: what there is to know, from the tables of the code.

use super::sign;
use super::written::shown;
use crate::cli::{cosign, misuse};
use crate::explain;
use crate::report::Reporter;
use crate::settings::Output;

/// Explains `code`, or lists all codes.
pub fn explain(code: Option<&str>, reporter: Reporter<'_>) -> u8 {
    let text = match code {
        None => Ok(explain::list()),
        Some("cosign") => Ok(cosign::table()),
        Some(code) => explain::text(code),
    };
    match text {
        Ok(text) => shown(reporter, reporter.text(&text)),
        Err(nearest) => {
            let what = format!("there is no code `{}`", code.unwrap_or_default());
            let fix = nearest.map_or_else(
                || "see `ambisign explain` for all codes".to_owned(),
                |name| format!("did you mean `{name}`?"),
            );
            sign::unreadable(misuse(what, fix), Output::Text, reporter)
        }
    }
}
