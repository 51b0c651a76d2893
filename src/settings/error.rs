// SPDX-License-Identifier: Apache-2.0
//! The errors of the command line and the environment.

use ambisign_host::{ClientError, errors};

use crate::cli::variables::variable_of;

errors! {
    /// The settings are invalid. Messages never show a value, which may be a misplaced secret.
    #[derive(Debug, thiserror::Error)]
    pub enum SettingsError {
        /// Two settings exclude each other.
        #[error("`{one}` and `{other}` exclude each other")]
        Conflict {
            /// The first, as it was given.
            one: String,
            /// The second.
            other: String,
        } = "settings/conflict", Usage {
            what: "Two settings exclude each other.",
            why: "One of them may come from a variable.",
            advice: "Remove one; `ambisign env` lists the variables.",
        },
        /// With `--public-instance`, a variable must not consent to publishing private facts.
        #[error(
            "`{}` consents to publishing private facts, which `--public-instance` accepts only from a flag",
            variable_of(name)
        )]
        Consents {
            /// The flag that belongs to the variable.
            name: &'static str,
        } = "settings/consents", Usage {
            fix: format!("unset `{}`, or pass `--{name}` if you consent", variable_of(name)),
            what: "A variable consents to publishing private facts, which is refused.",
            why: "With `--public-instance`, only a flag can consent, because other jobs can set variables.",
            advice: "Unset the variable, and pass the flag if you consent.",
        },
        /// With `--public-instance`, a variable must not decide who gets the token.
        #[error(
            "`{name}` decides who gets the identity token or what is trusted, which `--public-instance` refuses"
        )]
        Decides {
            /// The variable.
            name: &'static str,
        } = "settings/decides", Usage {
            fix: format!("unset `{name}`, or pass the value with a flag if you set it"),
            what: "A variable decides who gets the token or what is trusted.",
            why: "Other jobs can set variables, so `--public-instance` refuses such variables.",
            advice: "Unset it, or pass the value with a flag.",
        },
        /// A bundle is given without exactly one image.
        #[error("`--bundle` needs exactly one image, which is named by its digest")]
        Detached = "settings/detached", Usage {
            fix: "write one `repository@sha256:...` after the flags",
            what: "`--bundle` is given without exactly one image and its digest.",
            why: "A bundle belongs to one digest.",
            advice: "Name one image by digest.",
        },
        /// A flag has an empty value.
        #[error("`{name}` is empty")]
        Empty {
            /// The flag.
            name: String,
        } = "settings/empty", Usage {
            what: "A flag has an empty value.",
            why: "A shell variable expanded to nothing.",
            advice: "Fill it, or leave the flag out.",
        },
        /// An image argument is empty, usually because a variable expanded to nothing.
        #[error("image {at} of the command line is empty")]
        EmptyImage {
            /// Its position, from 1.
            at: usize,
        } = "settings/empty-image", Usage {
            fix: "look for an empty or misspelled variable; in Cloud Build, write `$$` for a shell variable, and use `$BUILD_ID` if the build has no trigger",
            what: "An image on the command line is empty.",
            why: "A variable of the shell expanded to nothing.",
            advice: "Look for the variable; in Cloud Build, shell variables are written with `$$`.",
        },
        /// One setting needs another.
        #[error("`{given}` is set but `{missing}` is not")]
        Incomplete {
            /// The setting, as it was given.
            given: String,
            /// The missing setting.
            missing: &'static str,
        } = "settings/incomplete", Usage {
            fix: format!("set `{missing}` too"),
            what: "One of two settings that belong together is missing.",
            why: "For example, there is a user but no password.",
            advice: "Set the one that the message names.",
        },
        /// A login is given, but the images are in several registries.
        #[error("a login is given, but the images are in `{one}` and `{other}`")]
        Login {
            /// One registry.
            one: String,
            /// Another one.
            other: String,
        } = "settings/login", Usage {
            fix: "run once for each registry, or log in to each with `docker login`",
            what: "One login was given for several registries.",
            why: "A password must not be sent to the wrong registry.",
            advice: "Run once for each registry, or log in with `docker login`.",
        },
        /// A proxy variable or a CA file with which no request can be made.
        #[error(transparent)]
        Network(#[from] source: ClientError) = "settings/network", Usage {
            fix: source.fix(),
            what: "A proxy variable or a file of CA certificates cannot be used.",
            why: "The value is not the URL of a proxy, or the file contains no certificate that can be read.",
            advice: "Correct the variable or file that the message names.",
        },
        /// No bundle is given.
        #[error("no bundle is given")]
        NoBundles = "settings/no-bundles", Usage {
            what: "No bundles are given.",
            why: "`attach` attaches bundles that an earlier run wrote to files.",
            advice: "Pass `--bundle-dir` or `--bundle`.",
        },
        /// No file is given.
        #[error("no file is given")]
        NoFiles = "settings/no-files", Usage {
            what: "There is nothing to sign.",
            why: "A shell pattern matched no file.",
            advice: "Name a file, or `-` for standard input.",
        },
        /// No image is given.
        #[error("no image is given")]
        NoImages {
            /// The other ways to name one, as the end of a sentence.
            ways: &'static str,
        } = "settings/no-images", Usage {
            fix: format!("name at least one image: `repository@sha256:...`{ways}"),
            what: "There is nothing to sign.",
            why: "No image was named, or a list expanded to nothing.",
            advice: "Name an image as `repository@sha256:...`.",
        },
        /// No signer is required.
        #[error("no expected signer is given")]
        NoSigner = "settings/no-signer", Usage {
            fix: "pass `--certificate-identity` and `--certificate-oidc-issuer`, or `--key`",
            what: "No expected signer is given.",
            why: "A signature proves nothing unless you require a signer.",
            advice: "Pass the identity and its issuer, or a public key.",
        },
        /// A variable of ambisign is not UTF-8.
        #[error("the value of `{name}` is not UTF-8")]
        NotUtf8 {
            /// The variable.
            name: String,
        } = "settings/not-utf8", Usage {
            fix: format!("unset `{name}`, or write it in UTF-8"),
            what: "A variable of ambisign is not text.",
            why: "Its bytes are in another encoding.",
            advice: "Write it in UTF-8, or unset it.",
        },
        /// A list has a repeated key.
        #[error("`{name}` has a repeated key")]
        Twice {
            /// The flag or variable.
            name: String,
        } = "settings/twice", Usage {
            what: "A key is given two values.",
            why: "It is unclear which one is meant.",
            advice: "Remove one of the two.",
        },
        /// A variable in which older versions of cosign name a key or a certificate.
        #[error("`{name}` is set, and ambisign takes trust material from one trusted root, not key by key")]
        OlderTrust {
            /// The variable.
            name: String,
        } = "settings/older-trust", Usage {
            fix: "make a trusted root of the same files with `ambisign trust create` and pass it with `--trusted-root`; or unset the variable",
            what: "A variable of cosign names a key or a certificate of a private instance.",
            why: "Without a trusted root the public instance would be believed, which is not meant.",
            advice: "Make the trusted root once with `ambisign trust create`, and name it with `--trusted-root`.",
        },
        /// A variable is probably misspelled.
        #[error("`{name}` is not a variable of ambisign")]
        UnknownVariable {
            /// The variable.
            name: String,
            /// The one that is probably meant.
            nearest: &'static str,
        } = "settings/unknown-variable", Usage {
            fix: format!("did you mean `{nearest}`?"),
            what: "A variable begins with `AMBISIGN_`, but ambisign does not know it.",
            why: "If its name is similar to a known one, it counts as a mistake and is an error; otherwise it is a warning.",
            advice: "Correct the name; `ambisign env` lists all variables.",
        },
        /// A value is invalid.
        #[error("the value of `{name}` is not {expected}")]
        Value {
            /// The flag or variable.
            name: String,
            /// The expected form.
            expected: &'static str,
        } = "settings/value", Usage {
            fix: format!("set `{name}` to {expected}"),
            what: "A setting has an invalid value.",
            why: "The message names the expected form.",
            advice: "Correct the flag or the variable.",
        },
        /// The variables cannot be read as a whole.
        #[error("the `AMBISIGN_*` variables cannot be read")]
        Variables(#[source] source: envy::Error) = "settings/variables", Usage {
            what: "The variables cannot be read.",
            why: "One is not text.",
            advice: "Compare them with the list of `ambisign env`.",
        },
    }
}

impl SettingsError {
    /// The variable that causes the error; `None` if a flag does.
    pub(crate) fn variable(&self) -> Option<String> {
        let variable = |name: &String| Some(name.clone()).filter(|name| !name.starts_with("--"));
        match self {
            Self::Conflict { one, other } => variable(other).or_else(|| variable(one)),
            Self::Consents { name } => Some(variable_of(name)),
            Self::Decides { name } => Some((*name).to_owned()),
            Self::Network(error) => variable(&error.setting()?.to_owned()),
            Self::Incomplete { given: name, .. }
            | Self::Empty { name }
            | Self::NotUtf8 { name }
            | Self::OlderTrust { name }
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
            | Self::Variables(_) => None,
        }
    }
}
