// SPDX-License-Identifier: Apache-2.0
//! What is wrong with the command line or the environment.

use ambisign_host::errors;

use crate::cli::variables::variable_of;

errors! {
    /// Why the settings cannot be used. No value is shown: it may be a secret in the wrong place.
    #[derive(Debug, thiserror::Error)]
    pub enum SettingsError {
        /// Two settings exclude each other.
        #[error("`{one}` and `{other}` exclude each other")]
        Conflict {
            /// The one, as it was given.
            one: String,
            /// The other.
            other: String,
        } = "settings/conflict", Usage {
            what: "Two settings exclude each other.",
            why: "One of them may come from a variable.",
            advice: "Drop one; `ambisign env` lists the variables.",
        },
        /// With `--public-instance`, the environment must not consent to what becomes public.
        #[error(
            "`{}` consents to what becomes public, and `--public-instance` takes that from flags alone",
            variable_of(name)
        )]
        Consents {
            /// The flag whose variable it is.
            name: &'static str,
        } = "settings/consents", Usage {
            fix: format!("unset `{}`, or give `--{name}` if you consent", variable_of(name)),
            what: "A variable agrees to publish facts, and variables may not.",
            why: "With `--public-instance` only whoever writes the command line decides that.",
            advice: "Unset the variable, and give the flag if you agree.",
        },
        /// With `--public-instance`, the environment must not decide who gets the token.
        #[error(
            "`{name}` decides who gets the identity token or what is trusted, and `--public-instance` refuses that"
        )]
        Decides {
            /// The variable.
            name: &'static str,
        } = "settings/decides", Usage {
            fix: format!("unset `{name}`, or give the value as a flag if it is yours"),
            what: "A variable decides who gets the token or what is trusted.",
            why: "Jobs can set each other's variables, and `--public-instance` refuses all of that kind.",
            advice: "Unset it, or give the value as a flag.",
        },
        /// A bundle is given, and not exactly one image that it could be of.
        #[error("`--bundle` is for exactly one image, which is named by its digest")]
        Detached = "settings/detached", Usage {
            fix: "write one `repository@sha256:...` after the flags",
            what: "One bundle file cannot be the bundle of what was named.",
            why: "It is of one image, known by its digest.",
            advice: "Name one image by digest.",
        },
        /// A flag has an empty value.
        #[error("`{name}` is empty")]
        Empty {
            /// The flag.
            name: String,
        } = "settings/empty", Usage {
            what: "A flag has an empty value.",
            why: "A variable of the shell expanded to nothing.",
            advice: "Fill it, or leave the flag out.",
        },
        /// An image argument is empty: mostly a variable that expanded to nothing.
        #[error("image {at} of the command line is empty")]
        EmptyImage {
            /// Its position, from 1.
            at: usize,
        } = "settings/empty-image", Usage {
            fix: "look for a variable that is empty or spelt differently; in Cloud Build, write `$$` for a variable of the shell, and use `$BUILD_ID` where the build has no trigger",
            what: "An image on the command line is empty.",
            why: "A variable of the shell expanded to nothing.",
            advice: "Look for the variable; in Cloud Build the shell's own are written with `$$`.",
        },
        /// One setting needs another.
        #[error("`{given}` is set and `{missing}` is not")]
        Incomplete {
            /// What was given, as it was given.
            given: String,
            /// What is missing.
            missing: &'static str,
        } = "settings/incomplete", Usage {
            fix: format!("set `{missing}` too"),
            what: "One of two settings that belong together is missing.",
            why: "Such as a user without its password.",
            advice: "Set the one that the message names.",
        },
        /// A login is given, and more than one registry that it could be for.
        #[error("a login is given, and the images are of `{one}` and of `{other}`")]
        Login {
            /// One registry.
            one: String,
            /// Another one.
            other: String,
        } = "settings/login", Usage {
            fix: "run once for each registry, or log in to each with `docker login`",
            what: "One login was given for several registries.",
            why: "A password must not reach a registry that it is not for.",
            advice: "Run once for each registry, or use logins of Docker.",
        },
        /// No bundle is given.
        #[error("no bundle is given")]
        NoBundles = "settings/no-bundles", Usage {
            what: "Nothing says where the bundles are.",
            why: "`attach` takes bundles that an earlier run kept.",
            advice: "Give `--bundle-dir` or `--bundle`.",
        },
        /// No file is given.
        #[error("no file is given")]
        NoFiles = "settings/no-files", Usage {
            what: "There is nothing to sign.",
            why: "A pattern of the shell found no file.",
            advice: "Name a file, or `-` for the standard input.",
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
        /// Nothing says who must have signed.
        #[error("nothing says who must have signed")]
        NoSigner = "settings/no-signer", Usage {
            fix: "pass `--certificate-identity` and `--certificate-oidc-issuer`, or `--key`",
            what: "A verification does not say whose signature counts.",
            why: "A signature of anybody proves nothing.",
            advice: "Give the identity and its issuer, or a public key.",
        },
        /// A variable of ours is not UTF-8.
        #[error("the value of `{name}` is not UTF-8")]
        NotUtf8 {
            /// The variable.
            name: String,
        } = "settings/not-utf8", Usage {
            fix: format!("unset `{name}`, or write it in UTF-8"),
            what: "A variable of ours is not text.",
            why: "Its bytes are in another encoding.",
            advice: "Write it in UTF-8, or unset it.",
        },
        /// One list has a key twice.
        #[error("`{name}` has a key twice")]
        Twice {
            /// The flag or variable.
            name: String,
        } = "settings/twice", Usage {
            what: "One key is given two values.",
            why: "Which of them would be meant cannot be known.",
            advice: "Leave one of the two.",
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
        /// A variable that is probably misspelt.
        #[error("`{name}` is no variable of ambisign")]
        UnknownVariable {
            /// The variable.
            name: String,
            /// The one that is meant.
            nearest: &'static str,
        } = "settings/unknown-variable", Usage {
            fix: format!("did you mean `{nearest}`?"),
            what: "A variable begins with our prefix and is none of ours.",
            why: "Near a known name it is taken for a mistake and ends the run; else it is only told.",
            advice: "Correct it by the list of `ambisign env`.",
        },
        /// A value that cannot be read.
        #[error("the value of `{name}` is not {expected}")]
        Value {
            /// The flag or variable.
            name: String,
            /// What it should be.
            expected: &'static str,
        } = "settings/value", Usage {
            fix: format!("set `{name}` to {expected}"),
            what: "A setting has a value that it cannot have.",
            why: "The message says what is expected.",
            advice: "Correct the flag or the variable.",
        },
        /// The variables cannot be read as a whole.
        #[error("the `AMBISIGN_*` variables cannot be read")]
        Variables(#[source] source: envy::Error) = "settings/variables", Usage {
            what: "The variables cannot be read together.",
            why: "One has a form that is not text.",
            advice: "Compare them with the list of `ambisign env`.",
        },
    }
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
