// SPDX-License-Identifier: Apache-2.0
//! The errors of trust material.

use std::path::PathBuf;

use ambisign_host::{HttpError, codes, errors};

use super::tuf;
use crate::network_hint;

errors! {
    /// There is no usable trust material.
    #[derive(Debug, thiserror::Error)]
    pub enum Error {
        #[error("`{}` is longer than {limit} bytes", path.display())]
        FileSize {
            path: PathBuf,
            /// The limit in bytes.
            limit: u64,
        } = "trust/file-size", Trust {
            fix: "check the file, and the flag or variable that names it",
            what: "A file of trust material is longer than allowed.",
            why: "The path probably names another file.",
            advice: "Check the path.",
        },
        /// A request for the version of a log failed.
        #[error("the API version of the log could not be determined")]
        Http(#[source] http: HttpError) = request http in "trust" { fix: network_hint::fix(http) },
        #[error("the trusted root has no {what} that is valid now")]
        Insufficient { what: &'static str } = "trust/insufficient", Trust {
            fix: "pass a newer trusted root with `--trusted-root`, and check the clock",
            what: "The trusted root has no currently valid entry for a service that signing needs.",
            why: "It is outdated, or only meant for verifying old signatures.",
            advice: "Update the trusted root; check the clock.",
        },
        #[error("the {what} is malformed: {why}")]
        Malformed {
            /// `trusted root` or `signing config`.
            what: &'static str,
            why: String,
        } = "trust/malformed", Trust {
            fix: "check the file, and the flag or variable that names it",
            what: "A file of trust material is damaged.",
            why: "It was truncated or edited, or it is another kind of file.",
            advice: "Get it again from its source.",
        },
        #[error("no trusted root and no signing config were given, and no TUF mirror to ask for them")]
        Missing = "trust/missing", Trust {
            fix: "pass `--trusted-root FILE` and `--signing-config FILE`",
            what: "There is no trust material, and no services are named.",
            why: "Both the trusted root and the signing config are missing.",
            advice: "Pass both files, or use a TUF mirror.",
        },
        #[error("the TUF mirror has no `{name}`, and nothing else says which {what} to use")]
        MissingConfig { name: &'static str, what: &'static str } = "trust/missing-config", Trust {
            fix: "pass `--signing-config FILE`, which `ambisign trust create` makes, or `--fulcio-url`, `--rekor-url` and `--tsa-url`",
            what: "The mirror does not say which services to use.",
            why: "Older and private mirrors have no signing config.",
            advice: "Name the services with URL flags, or pass `--signing-config`.",
        },
        #[error("a trusted root was given, but nothing says which {what} to use")]
        MissingService { what: &'static str } = "trust/missing-service", Trust {
            fix: "pass `--signing-config FILE`, which `ambisign trust create` makes, or `--fulcio-url`, `--rekor-url` and `--tsa-url`",
            what: "A kind of service is not named.",
            why: "A trusted root contains keys and certificates; it does not select services.",
            advice: "Pass the URL flag of that service, or `--signing-config`.",
        },
        #[error("services were given, but no trusted root that vouches for them")]
        MissingRoot = "trust/missing-root", Trust {
            fix: "pass `--trusted-root FILE`, which `ambisign trust create` makes",
            what: "Services are named, but no trusted root lists them.",
            why: "The answers of unknown services cannot be verified.",
            advice: "Pass their trusted root; `ambisign trust create` makes one.",
        },
        #[error("no trusted root was given, and no TUF mirror to ask for one")]
        NoRoot = "trust/no-root", Trust {
            fix: "pass `--trusted-root FILE` with the trusted root of the instance that signed, or name its mirror with `--tuf-mirror`",
            what: "There is no trusted root.",
            why: "Neither a file nor a mirror was given.",
            advice: "Pass `--trusted-root`, or name a TUF mirror.",
        },
        #[error("the signing config lists no {what} that can be used now")]
        NoService { what: &'static str } = "trust/no-service", Trust {
            fix: "pass a newer signing config with `--signing-config`, and check the clock",
            what: "The signing config lists no usable service of a kind.",
            why: "All have expired, are not valid yet, or use an API version that this program does not support.",
            advice: "Update the signing config or ambisign; check the clock.",
        },
        #[error("a Rekor v2 log is used without a timestamp authority")]
        NoTimestampAuthority = "trust/no-timestamp-authority", Trust {
            what: "The log in use does not prove a time, and no timestamp authority is named.",
            why: "Entries of Rekor v2 need a timestamp.",
            advice: "Pass `--tsa-url`, or name an authority in the signing config.",
        },
        #[error("`{}` cannot be read", path.display())]
        Read {
            path: PathBuf,
            #[source]
            source: std::io::Error,
        } = "trust/read", Trust {
            fix: "check the file, and the flag or variable that names it",
            what: "A file of trust material could not be read.",
            why: "Its name is wrong, or you may not read it.",
            advice: "Check the path.",
        },
        #[error("the signing config requires {wanted} {what}s of different operators and lists {found}")]
        TooFew { what: &'static str, wanted: usize, found: usize } = "trust/too-few", Trust {
            fix: "pass a newer signing config with `--signing-config`, and check the clock",
            what: "The signing config requires more services than it lists.",
            why: "Services of the same operator count once.",
            advice: "Correct the signing config.",
        },
        /// The TUF mirror is unusable.
        #[error(transparent)]
        Tuf(#[from] tuf: tuf::Error) = of tuf,
        #[error("the trusted root of the TUF mirror does not list the {what} {url}")]
        Unknown { what: &'static str, url: String } = "trust/unknown", Trust {
            fix: "pass the trusted root of this service with `--trusted-root`; `ambisign trust create` makes one",
            what: "The trusted root of the mirror does not list a service that you name.",
            why: "Other verifiers could not verify its answers.",
            advice: "Pass the trusted root that lists it; `ambisign trust create` makes one.",
        },
        #[error("{url} answered HTTP {status}, which no version of Rekor does")]
        UnknownLog { url: String, status: u16 } = "trust/unknown-log", Trust {
            fix: "check `--rekor-url`, or pass `--rekor-version`",
            what: "The URL of the log does not lead to a Rekor log.",
            why: "The answer to the request for its version is that of neither Rekor v1 nor v2.",
            advice: "Check the URL, or pass `--rekor-version`.",
        },
        #[error("the {what} {url} is not https")]
        Url { what: &'static str, url: String } = "trust/url", Usage {
            fix: "use an https URL without a user name in it",
            what: "The URL of a service is not https.",
            why: "Tokens and signatures are only sent over https, except to the machine itself.",
            advice: "Use its https URL.",
        },
    }
}

codes! {
    /// The warnings about trust material.
    pub WARNINGS {
        pub(super) NO_CT_LOG = "trust/no-ct-log" {
            what: "Certificates are accepted without the promise of a certificate transparency log (SCT).",
            why: "The trusted root of this private instance lists no such log.",
            advice: "Nothing, if the instance has no CT log; otherwise add it to the trusted root (`ambisign trust create --ctfe`).",
        },
    }
}
