// SPDX-License-Identifier: Apache-2.0
//! What the runner of GitHub Actions says of the step.

use std::path::PathBuf;

use ambisign_host::Env;

/// A batch of more images than this has a group for each.
const MOST_UNGROUPED: usize = 3;

/// What the runner of GitHub Actions says of the step.
#[derive(Clone, Debug, Default)]
pub struct Runner {
    /// The file for outputs.
    pub(super) output: Option<PathBuf>,
    /// The file for the summary, unless none is wanted.
    pub(super) summary: Option<PathBuf>,
    /// A folder that the runner empties after the job.
    pub(super) temporary: Option<PathBuf>,
    /// The workflow's file in its repository.
    pub(super) workflow: Option<String>,
}

impl Runner {
    /// The runner, if it is there. Which values a switch can have is tested by the settings.
    pub fn of(env: &Env) -> Option<Self> {
        if env.get("GITHUB_ACTIONS") != Some("true") {
            return None;
        }
        let path = |name| env.get(name).map(PathBuf::from);
        let unwanted = matches!(env.get("AMBISIGN_SUMMARY"), Some("false" | "0"));
        Some(Self {
            output: path("GITHUB_OUTPUT"),
            summary: path("GITHUB_STEP_SUMMARY").filter(|_| !unwanted),
            temporary: path("RUNNER_TEMP"),
            workflow: env.get("GITHUB_WORKFLOW_REF").and_then(workflow),
        })
    }

    /// Whether the images of a batch of `count` have a group each.
    pub(super) fn groups(&self, count: usize) -> bool {
        count > MOST_UNGROUPED
    }
}

/// The path in `owner/repository/path@ref`, as `GITHUB_WORKFLOW_REF` has it.
pub(super) fn workflow(reference: &str) -> Option<String> {
    let (path, _) = reference.split_once("@refs/")?;
    let path = path.splitn(3, '/').nth(2)?;
    path.starts_with(".github/workflows/").then(|| path.to_owned())
}
