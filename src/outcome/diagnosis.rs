// SPDX-License-Identifier: Apache-2.0
//! What `doctor` found out: plain facts, and the exit code that follows from them.

use std::time::{Duration, SystemTime};

use ambisign_host::{Class, Failure, Warning};
use serde::{Serialize, Serializer};

use super::exit;
use super::form::{Millis, Time};
use crate::outcome::{self, End};

/// Everything that was found out about a run of `sign` that did not take place.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Diagnosis {
    /// When it began.
    #[serde(rename = "started_at", with = "Time")]
    pub started: SystemTime,
    /// How long it took, in milliseconds.
    #[serde(rename = "duration_ms", with = "Millis")]
    pub took: Duration,
    /// How many images were asked about.
    #[serde(skip)]
    pub images: usize,
    /// Who would sign; known once the token is there.
    pub identity: Option<outcome::Identity>,
    /// What was found, in the order in which it was found.
    #[serde(skip)]
    pub findings: Vec<Finding>,
    /// How the examination ended.
    #[serde(skip)]
    pub end: End,
}

/// One thing that was looked at.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Finding {
    /// What it means for a run.
    #[serde(rename = "status")]
    pub mark: Mark,
    /// The part of a run that it belongs to.
    pub stage: Stage,
    /// The image that it is about, by its place in the command line.
    #[serde(skip)]
    pub image: Option<usize>,
    /// What it is about: a provider, a service, an image; `null` where the stage says it all.
    #[serde(serialize_with = "unless_empty")]
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub about: String,
    /// What was found, on one line.
    #[serde(rename = "message")]
    pub text: String,
    /// Why, outermost cause first.
    pub because: Vec<String>,
    /// What the reader can do.
    pub fix: Option<String>,
    /// The stable code of the problem.
    pub code: Option<String>,
}

/// The parts of a run, in the order in which `sign` reports errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Stage {
    /// Flags, variables and the names of the images.
    Settings,
    /// Which provider is chosen.
    Provider,
    /// The images and their registries.
    Registry,
    /// The trust material and the services.
    Trust,
    /// The token and the certificate that it stands for.
    Identity,
    /// The services.
    Services,
}

/// What a finding means for a run of `sign`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Mark {
    /// It ends the run, or that of the image.
    #[cfg_attr(test, schemars(with = "()"))]
    Fail(#[serde(skip)] Class),
    /// It is well.
    Ok,
    /// It was not detected, or could not be checked because of an earlier finding.
    Skip,
    /// It stops nothing, but needs attention.
    Warn,
}

fn unless_empty<S: Serializer>(text: &str, to: S) -> Result<S::Ok, S::Error> {
    Some(text).filter(|text| !text.is_empty()).serialize(to)
}

impl Stage {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Settings => "settings",
            Self::Provider => "provider",
            Self::Registry => "registry",
            Self::Trust => "trust",
            Self::Identity => "identity",
            Self::Services => "services",
        }
    }
}

impl Mark {
    /// Its word, as the lines begin.
    pub fn name(self) -> &'static str {
        match self {
            Self::Fail(_) => "fail",
            Self::Ok => "ok",
            Self::Skip => "skip",
            Self::Warn => "warn",
        }
    }

    /// What the reader has to act on comes first.
    fn rank(self) -> u8 {
        match self {
            Self::Fail(_) => 0,
            Self::Warn => 1,
            Self::Ok => 2,
            Self::Skip => 3,
        }
    }
}

impl Finding {
    fn new(stage: Stage, about: impl Into<String>, mark: Mark, text: impl Into<String>) -> Self {
        Self {
            stage,
            image: None,
            about: about.into(),
            mark,
            text: text.into(),
            because: Vec::new(),
            fix: None,
            code: None,
        }
    }

    /// Something that is well.
    pub(crate) fn ok(stage: Stage, about: impl Into<String>, text: impl Into<String>) -> Self {
        Self::new(stage, about, Mark::Ok, text)
    }

    /// Something that is not here or could not be looked at.
    pub(crate) fn skip(stage: Stage, about: impl Into<String>, text: impl Into<String>) -> Self {
        Self::new(stage, about, Mark::Skip, text)
    }

    /// Something that stops nothing.
    pub(crate) fn warn(stage: Stage, about: impl Into<String>, text: impl Into<String>) -> Self {
        Self::new(stage, about, Mark::Warn, text)
    }

    /// A warning that a run would show too.
    pub(crate) fn of_warning(stage: Stage, about: impl Into<String>, warning: &Warning) -> Self {
        let finding = Self::warn(stage, about, &warning.message);
        finding.with_code(warning.code)
    }

    /// What would end a run.
    pub(crate) fn fail(stage: Stage, about: impl Into<String>, failure: Failure) -> Self {
        Self {
            because: failure.because,
            fix: failure.fix,
            code: Some(failure.code),
            ..Self::new(stage, about, Mark::Fail(failure.class), failure.what)
        }
    }

    /// As [`Finding::fail`], where it stops nothing.
    pub(crate) fn harmless(stage: Stage, about: impl Into<String>, failure: Failure) -> Self {
        Self { mark: Mark::Warn, ..Self::fail(stage, about, failure) }
    }

    pub(crate) fn of_image(self, at: usize) -> Self {
        let image = Some(at);
        Self { image, ..self }
    }

    pub(crate) fn with_fix(self, fix: impl Into<String>) -> Self {
        let fix = Some(fix.into());
        Self { fix, ..self }
    }

    pub(crate) fn with_code(self, code: impl Into<String>) -> Self {
        let code = Some(code.into());
        Self { code, ..self }
    }

    /// As an error, when it ends a run.
    pub fn failure(&self) -> Option<Failure> {
        Some(Failure {
            what: self.text.clone(),
            because: self.because.clone(),
            fix: self.fix.clone(),
            code: self.code.clone().unwrap_or_default(),
            class: self.class()?,
        })
    }

    /// Who can do something, when it ends a run.
    pub fn class(&self) -> Option<Class> {
        match self.mark {
            Mark::Fail(class) => Some(class),
            Mark::Ok | Mark::Skip | Mark::Warn => None,
        }
    }
}

impl Diagnosis {
    /// An examination that begins now.
    pub fn new(started: SystemTime) -> Self {
        Self {
            started,
            took: Duration::ZERO,
            images: 0,
            identity: None,
            findings: Vec::new(),
            end: End::Complete,
        }
    }

    /// The findings: what ends a run first, then the warnings, what is well, and what was not looked
    /// at; each of them in the order of the stages.
    pub fn in_order(&self) -> Vec<&Finding> {
        let mut findings: Vec<_> = self.findings.iter().collect();
        findings.sort_by_key(|finding| (finding.mark.rank(), finding.stage));
        findings
    }

    /// How many findings would end a run.
    pub fn problems(&self) -> usize {
        let classes = self.findings.iter().filter_map(Finding::class);
        classes.count()
    }

    /// How many findings stop nothing, and should be looked at.
    pub fn warnings(&self) -> usize {
        let warnings = self.findings.iter();
        warnings.filter(|finding| finding.mark == Mark::Warn).count()
    }

    /// The exit code with which `sign` would end: settings and the choice of a provider come before
    /// everything else; when no image is left nothing else counts; else trust, identity and services
    /// stop what is left of the images.
    pub fn exit(&self) -> u8 {
        if let End::Interrupted(signal) = self.end {
            return signal.exit();
        }
        let first = |stage: Stage| {
            let mut found = self.findings.iter().filter(|found| found.stage == stage);
            found.find_map(Finding::class)
        };
        if let Some(class) = first(Stage::Settings).or_else(|| first(Stage::Provider)) {
            return exit::exit(class);
        }
        let mut classes: Vec<Class> = Vec::new();
        for at in 0..self.images {
            let mut of_image = self.findings.iter().filter(|found| found.image == Some(at));
            classes.extend(of_image.find_map(Finding::class));
        }
        let left = self.images.saturating_sub(classes.len());
        if self.images > 0 && left == 0 {
            return exit::batch_exit(0, &classes);
        }
        let own = match &self.end {
            End::Failed(failure) => Some(failure.class),
            End::Complete | End::Interrupted(_) => None,
        };
        let stop = [Stage::Trust, Stage::Identity, Stage::Services];
        match own.or_else(|| stop.into_iter().find_map(first)) {
            Some(class) => {
                classes.push(class);
                exit::batch_exit(0, &classes)
            }
            None => exit::batch_exit(left, &classes),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use ambisign_host::Class;

    use super::{Diagnosis, Finding, Mark, Stage};
    use crate::outcome::{End, Signal};

    fn failed(stage: Stage, class: Class) -> Finding {
        Finding::new(stage, "", Mark::Fail(class), "")
    }

    fn image(at: usize, class: Class) -> Finding {
        failed(Stage::Registry, class).of_image(at)
    }

    fn exit(images: usize, findings: &[Finding]) -> u8 {
        let mut diagnosis = Diagnosis::new(SystemTime::UNIX_EPOCH);
        diagnosis.images = images;
        diagnosis.findings = findings.to_vec();
        diagnosis.exit()
    }

    #[test]
    fn exits_as_sign_would() {
        let settings = failed(Stage::Settings, Class::Usage);
        let provider = failed(Stage::Provider, Class::Identity);
        let trust = failed(Stage::Trust, Class::Trust);
        let token = failed(Stage::Identity, Class::Identity);
        let fulcio = failed(Stage::Services, Class::Temporary);
        let (gone, denied) = (image(0, Class::Registry), image(1, Class::Registry));
        let warning = Finding::warn(Stage::Trust, "", "");
        let rows: [(usize, &[&Finding], u8); 12] = [
            (0, &[], 0),
            (1, &[&warning], 0),
            (1, &[&gone, &provider, &settings], 2),
            (1, &[&gone, &provider], 3),
            (1, &[&gone, &trust, &token], 6),
            (1, &[&trust, &token], 4),
            (1, &[&fulcio, &token], 3),
            (1, &[&fulcio], 75),
            (0, &[&fulcio], 75),
            (2, &[&gone], 7),
            (2, &[&gone, &trust], 4),
            (2, &[&gone, &denied, &trust], 6),
        ];
        for (images, findings, code) in rows {
            let findings: Vec<_> = findings.iter().map(|found| (*found).clone()).collect();
            assert_eq!(exit(images, &findings), code, "{findings:?}");
        }
        assert_eq!(exit(2, &[image(0, Class::Temporary)]), 75);
    }

    #[test]
    fn failures_come_first_and_what_is_not_here_last() {
        let mut diagnosis = Diagnosis::new(SystemTime::UNIX_EPOCH);
        diagnosis.findings = vec![
            Finding::ok(Stage::Settings, "1", ""),
            Finding::skip(Stage::Provider, "2", ""),
            Finding::warn(Stage::Trust, "3", ""),
            failed(Stage::Services, Class::Temporary),
            failed(Stage::Registry, Class::Registry),
            Finding::warn(Stage::Provider, "6", ""),
        ];
        let told = diagnosis.in_order().into_iter();
        let told: Vec<_> = told.map(|found| (found.mark.name(), found.stage)).collect();
        let expected = [
            ("fail", Stage::Registry),
            ("fail", Stage::Services),
            ("warn", Stage::Provider),
            ("warn", Stage::Trust),
            ("ok", Stage::Settings),
            ("skip", Stage::Provider),
        ];
        assert_eq!(told, expected);
    }

    #[test]
    fn an_interruption_is_told_by_its_signal() {
        let mut diagnosis = Diagnosis::new(SystemTime::UNIX_EPOCH);
        diagnosis.end = End::Interrupted(Signal::Interrupt);
        assert_eq!(diagnosis.exit(), 130);
    }
}
