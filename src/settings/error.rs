// SPDX-License-Identifier: Apache-2.0
//! The errors of the command line and the environment.

use std::path::PathBuf;

use ambisign_host::{ClientError, errors};

use crate::cli::variables::variable_of;

errors! {
    /// The settings are invalid. Messages never show a value, which may be a misplaced secret.
    #[derive(Debug, thiserror::Error)]
    pub enum SettingsError {
        #[error("`{one}` and `{other}` exclude each other")]
        Conflict { one: String, other: String } = "settings/conflict", Usage {
            what: "Two settings exclude each other.",
            why: "One of them may come from a variable.",
            advice: "Remove one; `ambisign env` lists the variables.",
        },
        #[error("`{}` consents to publishing private facts, which `--public-instance` accepts only from a flag", variable_of(name))]
        Consents { name: &'static str } = "settings/consents", Usage {
            fix: format!("unset `{}`, or pass `--{name}` if you consent", variable_of(name)),
            what: "A variable consents to publishing private facts, which is refused.",
            why: "With `--public-instance`, only a flag can consent, because other jobs can set variables.",
            advice: "Unset the variable, and pass the flag if you consent.",
        },
        #[error("`{name}` decides who gets the identity token or what is trusted, which `--public-instance` refuses")]
        Decides { name: &'static str } = "settings/decides", Usage {
            fix: decides_fix(name),
            what: "A variable decides who gets the token or what is trusted.",
            why: "Other jobs can set variables, so `--public-instance` refuses such variables.",
            advice: "Unset it, or pass the value with a flag.",
        },
        #[error("`--bundle` needs exactly one image, which is named by its digest")]
        Detached = "settings/detached", Usage {
            fix: "write one `repository@sha256:...` after the flags",
            what: "`--bundle` is given without exactly one image and its digest.",
            why: "A bundle belongs to one digest.",
            advice: "Name one image by digest.",
        },
        #[error("`{name}` is empty")]
        Empty { name: String } = "settings/empty", Usage {
            what: "A flag has an empty value.",
            why: "A shell variable expanded to nothing.",
            advice: "Fill it, or leave the flag out.",
        },
        #[error("image {at} of the command line is empty")]
        EmptyImage { at: usize } = "settings/empty-image", Usage {
            fix: "look for an empty or misspelled variable; in Cloud Build, write `$$` for a shell variable, and use `$BUILD_ID` if the build has no trigger",
            what: "An image on the command line is empty.",
            why: "A variable of the shell expanded to nothing.",
            advice: "Look for the variable; in Cloud Build, shell variables are written with `$$`.",
        },
        #[error("`{given}` is set but `{missing}` is not")]
        Incomplete { given: String, missing: &'static str } = "settings/incomplete", Usage {
            fix: format!("set `{missing}` too"),
            what: "One of two settings that belong together is missing.",
            why: "For example, there is a user but no password.",
            advice: "Set the one that the message names.",
        },
        #[error("a login is given, but the images are in `{one}` and `{other}`")]
        Login { one: String, other: String } = "settings/login", Usage {
            fix: "run once for each registry, or log in to each with `docker login`",
            what: "One login was given for several registries.",
            why: "A password must not be sent to the wrong registry.",
            advice: "Run once for each registry, or log in with `docker login`.",
        },
        #[error(transparent)]
        Network(#[from] source: ClientError) = "settings/network", Usage {
            fix: source.fix(),
            what: "A proxy variable or a file of CA certificates cannot be used.",
            why: "The value is not the URL of a proxy, or the file contains no certificate that can be read.",
            advice: "Correct the variable or file that the message names.",
        },
        #[error("no bundle is given")]
        NoBundles = "settings/no-bundles", Usage {
            what: "No bundles are given.",
            why: "`attach` attaches bundles that an earlier run wrote to files.",
            advice: "Pass `--bundle-dir` or `--bundle`.",
        },
        #[error("no file is given")]
        NoFiles = "settings/no-files", Usage {
            what: "There is nothing to sign.",
            why: "A shell pattern matched no file.",
            advice: "Name a file, or `-` for standard input.",
        },
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
        #[error("no expected signer is given")]
        NoSigner = "settings/no-signer", Usage {
            fix: "pass `--certificate-identity` and `--certificate-oidc-issuer`, or `--key`",
            what: "No expected signer is given.",
            why: "A signature proves nothing unless you require a signer.",
            advice: "Pass the identity and its issuer, or a public key.",
        },
        #[error("the value of `{name}` is not UTF-8")]
        NotUtf8 { name: String } = "settings/not-utf8", Usage {
            fix: format!("unset `{name}`, or write it in UTF-8"),
            what: "A variable of ambisign is not text.",
            why: "Its bytes are in another encoding.",
            advice: "Write it in UTF-8, or unset it.",
        },
        #[error("the policy `{}` cannot be used: {why}", path.display())]
        Policy {
            path: PathBuf,
            /// The reason, as the end of a sentence.
            why: String,
        } = "settings/policy", Usage {
            fix: "compare the file with the members that `ambisign verify --help` lists",
            what: "The file that `--policy` names cannot be read, or is not a policy.",
            why: "A member is misspelt, a value has another form, or the file does not exist.",
            advice: "Correct the file; its members have the names of the flags.",
        },
        #[error("`{name}` has a repeated key")]
        Twice { name: String } = "settings/twice", Usage {
            what: "A key is given two values.",
            why: "It is unclear which one is meant.",
            advice: "Remove one of the two.",
        },
        #[error("`{name}` is set, and ambisign takes trust material from one trusted root, not key by key")]
        OlderTrust { name: String } = "settings/older-trust", Usage {
            fix: "make a trusted root of the same files with `ambisign trust create` and pass it with `--trusted-root`; or unset the variable",
            what: "A variable of cosign names a key or a certificate of a private instance.",
            why: "Without a trusted root the public instance would be believed, which is not meant.",
            advice: "Make the trusted root once with `ambisign trust create`, and name it with `--trusted-root`.",
        },
        #[error("`{name}` is not a variable of ambisign")]
        UnknownVariable { name: String, nearest: &'static str } = "settings/unknown-variable", Usage {
            fix: format!("did you mean `{nearest}`?"),
            what: "A variable begins with `AMBISIGN_`, but ambisign does not know it.",
            why: "If its name is similar to a known one, it counts as a mistake and is an error; otherwise it is a warning.",
            advice: "Correct the name; `ambisign env` lists all variables.",
        },
        #[error("the value of `{name}` is not {expected}")]
        Value { name: String, expected: &'static str } = "settings/value", Usage {
            fix: format!("set `{name}` to {expected}"),
            what: "A setting has an invalid value.",
            why: "The message names the expected form.",
            advice: "Correct the flag or the variable.",
        },
        #[error("`{flag}` accepts what the policy does not")]
        Wider {
            /// The flag, with dashes.
            flag: String,
        } = "settings/wider", Usage {
            fix: format!("remove `{flag}`, or change the policy"),
            what: "A flag would accept more than the policy of `--policy` does.",
            why: "A flag can only narrow a policy: name one of its identities, or ask for more evidence.",
            advice: "Remove the flag, or change the policy.",
        },
    }
}

/// A metadata server has no flag: a machine has one at the same address everywhere.
fn decides_fix(name: &str) -> String {
    if name.starts_with("GCE_METADATA_") {
        format!("unset `{name}`, or leave out `--public-instance` if you set it")
    } else {
        format!("unset `{name}`, or pass the value with a flag if you set it")
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
            | Self::Policy { .. }
            | Self::Wider { .. } => None,
        }
    }
}
