// SPDX-License-Identifier: Apache-2.0
//! What is wrong with the command line or the environment.

use std::borrow::Cow;

use ambisign_host::{Class, Explain};

use crate::env::variable_of;

/// Why the settings cannot be used. No value is shown: it may be a secret in the wrong place.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SettingsError {
    /// Two settings exclude each other.
    #[error("`{one}` and `{other}` exclude each other")]
    Conflict {
        /// The one, as it was given.
        one: String,
        /// The other.
        other: String,
    },
    /// With `--public-instance`, the environment must not consent to what becomes public.
    #[error(
        "`{}` consents to what becomes public, and `--public-instance` takes that from flags alone",
        variable_of(name)
    )]
    Consents {
        /// The flag whose variable it is.
        name: &'static str,
    },
    /// A flag of cosign that means nothing here, or nothing good.
    #[error("`--{name}` of cosign is refused")]
    CosignFlag {
        /// The flag.
        name: &'static str,
        /// What to do instead.
        fix: &'static str,
    },
    /// With `--public-instance`, the environment must not decide who gets the token.
    #[error(
        "`{name}` decides who gets the identity token or whom to believe, and `--public-instance` refuses that"
    )]
    Decides {
        /// The variable.
        name: &'static str,
    },
    /// A bundle is given, and not exactly one image that it could be of.
    #[error("`--bundle` is for exactly one image, which is named by its digest")]
    Detached,
    /// A flag has an empty value.
    #[error("`{name}` is empty")]
    Empty {
        /// The flag.
        name: String,
    },
    /// An image argument is empty: mostly a variable that expanded to nothing.
    #[error("image {at} of the command line is empty")]
    EmptyImage {
        /// Its position, from 1.
        at: usize,
    },
    /// One setting needs another.
    #[error("`{given}` is set and `{missing}` is not")]
    Incomplete {
        /// What was given, as it was given.
        given: String,
        /// What is missing.
        missing: &'static str,
    },
    /// A login is given, and more than one registry that it could be for.
    #[error("a login is given, and the images are of `{one}` and of `{other}`")]
    Login {
        /// One registry.
        one: String,
        /// Another one.
        other: String,
    },
    /// No bundle is given.
    #[error("no bundle is given")]
    NoBundles,
    /// No file is given.
    #[error("no file is given")]
    NoFiles,
    /// No image is given.
    #[error("no image is given")]
    NoImages {
        /// The other ways to name one, as the end of a sentence.
        ways: &'static str,
    },
    /// Nothing says who must have signed.
    #[error("nothing says who must have signed")]
    NoSigner,
    /// A variable of ours is not UTF-8.
    #[error("the value of `{name}` is not UTF-8")]
    NotUtf8 {
        /// The variable.
        name: String,
    },
    /// A secret would stand on the command line.
    #[error("`--{name}` is refused: other processes can read it from the command line")]
    SecretInArguments {
        /// The flag.
        name: &'static str,
        /// Where the secret goes.
        fix: &'static str,
    },
    /// A tag, and only digests are accepted.
    #[error("`{image}` is named by a tag, and `--require-digest` refuses that")]
    Tag {
        /// The image.
        image: String,
    },
    /// One list has a key twice.
    #[error("`{name}` has a key twice")]
    Twice {
        /// The flag or variable.
        name: String,
    },
    /// A variable that is probably misspelt.
    #[error("`{name}` is no variable of ambisign")]
    UnknownVariable {
        /// The variable.
        name: String,
        /// The one that is meant.
        nearest: &'static str,
    },
    /// A value that cannot be read.
    #[error("the value of `{name}` is not {expected}")]
    Value {
        /// The flag or variable.
        name: String,
        /// What it should be.
        expected: &'static str,
    },
    /// The variables cannot be read as a whole.
    #[error("the `AMBISIGN_*` variables cannot be read")]
    Variables(#[source] envy::Error),
}

impl SettingsError {
    /// The variable without which this would not be said; `None` when a flag is wrong.
    pub(crate) fn variable(&self) -> Option<String> {
        let variable = |name: &String| Some(name.clone()).filter(|name| !name.starts_with("--"));
        match self {
            Self::Conflict { one, other } => variable(other).or_else(|| variable(one)),
            Self::Consents { name } => Some(variable_of(name)),
            Self::Decides { name } => Some((*name).to_owned()),
            Self::Incomplete { given: name, .. }
            | Self::Empty { name }
            | Self::NotUtf8 { name }
            | Self::Twice { name }
            | Self::UnknownVariable { name, .. }
            | Self::Value { name, .. } => variable(name),
            Self::Detached
            | Self::EmptyImage { .. }
            | Self::Login { .. }
            | Self::NoBundles
            | Self::NoFiles
            | Self::NoImages { .. }
            | Self::NoSigner
            | Self::Tag { .. }
            | Self::CosignFlag { .. }
            | Self::SecretInArguments { .. }
            | Self::Variables(_) => None,
        }
    }
}

impl Explain for SettingsError {
    fn code(&self) -> Cow<'static, str> {
        match self {
            Self::Conflict { .. } => "settings/conflict",
            Self::Consents { .. } => "settings/consents",
            Self::CosignFlag { .. } => "settings/cosign-flag",
            Self::Decides { .. } => "settings/decides",
            Self::Detached => "settings/detached",
            Self::Empty { .. } => "settings/empty",
            Self::EmptyImage { .. } => "settings/empty-image",
            Self::Incomplete { .. } => "settings/incomplete",
            Self::Login { .. } => "settings/login",
            Self::NoBundles => "settings/no-bundles",
            Self::NoFiles => "settings/no-files",
            Self::NoImages { .. } => "settings/no-images",
            Self::NoSigner => "settings/no-signer",
            Self::NotUtf8 { .. } => "settings/not-utf8",
            Self::SecretInArguments { .. } => "settings/secret-in-arguments",
            Self::Tag { .. } => "settings/tag",
            Self::Twice { .. } => "settings/twice",
            Self::UnknownVariable { .. } => "settings/unknown-variable",
            Self::Value { .. } => "settings/value",
            Self::Variables(_) => "settings/variables",
        }
        .into()
    }

    fn fix(&self) -> Option<Cow<'static, str>> {
        Some(match self {
            Self::Conflict { .. } => "drop one of the two".into(),
            Self::Consents { name } => format!(
                "unset `{}`, or give `--{name}` if you consent",
                variable_of(name)
            )
            .into(),
            Self::CosignFlag { fix, .. } | Self::SecretInArguments { fix, .. } => (*fix).into(),
            Self::Decides { name } => {
                format!("unset `{name}`, or give the value as a flag if it is yours").into()
            }
            Self::Detached => "write one `repository@sha256:...` after the flags".into(),
            Self::Empty { .. } => "give it a value, or leave it out".into(),
            Self::EmptyImage { .. } => {
                "look for a variable that is empty or spelt differently; in Cloud Build, write `$$` \
                 for a variable of the shell, and use \
                 `$BUILD_ID` where the build has no trigger"
                    .into()
            }
            Self::Incomplete { missing, .. } => format!("set `{missing}` too").into(),
            Self::Login { .. } => {
                "run once for each registry, or log in to each with `docker login`".into()
            }
            Self::NoBundles => "pass `--bundle` with a file, or `--bundle-dir` with a folder".into(),
            Self::NoFiles => "name at least one file, or `-` for the standard input".into(),
            Self::NoImages { ways } => {
                format!("name at least one image: `repository@sha256:...`{ways}").into()
            }
            Self::NoSigner => {
                "pass `--certificate-identity` and `--certificate-oidc-issuer`, or `--key`".into()
            }
            Self::NotUtf8 { name } => format!("unset `{name}`, or write it in UTF-8").into(),
            Self::Tag { .. } => {
                "write `repository@sha256:...`, or give the digest that the push printed as `--digest`"
                    .into()
            }
            Self::Twice { .. } => "leave one of the two".into(),
            Self::UnknownVariable { nearest, .. } => format!("did you mean `{nearest}`?").into(),
            Self::Value { name, expected } => format!("set `{name}` to {expected}").into(),
            Self::Variables(_) => "compare them with the list of `ambisign env`".into(),
        })
    }

    fn class(&self) -> Class {
        Class::Usage
    }
}
