// SPDX-License-Identifier: Apache-2.0
//! Why there is no usable trust material.

use std::path::PathBuf;

use ambisign_host::{HttpError, codes, errors};

use super::tuf;
use crate::network_hint;

errors! {
    /// Why there is no usable trust material.
    #[derive(Debug, thiserror::Error)]
    pub enum Error {
        /// A file is longer than it may be.
        #[error("`{}` is longer than {limit} bytes", path.display())]
        FileSize {
            /// The file.
            path: PathBuf,
            /// The limit in bytes.
            limit: u64,
        } = "trust/file-size", Trust {
            fix: "check the file, and the flag or variable that names it",
            what: "A file of trust material is larger than any real one.",
            why: "The path leads to something else.",
            advice: "Check the path.",
        },
        /// A log could not be asked for its version.
        #[error("the log does not tell which API it speaks")]
        Http(#[source] http: HttpError) = request http in "trust" { fix: network_hint::fix(http) },
        /// Something that every run needs is not in the trusted root, or not valid now.
        #[error("the trusted root has no {what} that is valid now")]
        Insufficient {
            /// What is needed.
            what: &'static str,
        } = "trust/insufficient", Trust {
            fix: "pass a newer trusted root with `--trusted-root`, and check the clock",
            what: "The trusted root has nothing that is valid now for a part of the work.",
            why: "It is old, or only for verifying signatures of the past.",
            advice: "Update the trusted root; check the clock.",
        },
        /// The trusted root or the signing config does not have the form that its media type promises.
        #[error("the {what} is malformed: {why}")]
        Malformed {
            /// Which of the two.
            what: &'static str,
            /// What is wrong.
            why: String,
        } = "trust/malformed", Trust {
            fix: "check the file, and the flag or variable that names it",
            what: "A file of trust material is damaged.",
            why: "It was cut or edited, or is another kind of file.",
            advice: "Get it again from its source.",
        },
        /// No trust material was given, and none may be asked for.
        #[error("no trusted root and no signing config were given")]
        Missing = "trust/missing", Trust {
            fix: "pass `--trusted-root FILE` and `--signing-config FILE`",
            what: "There is no trust material, and no service is named.",
            why: "Trusted root and signing config are both missing.",
            advice: "Give both files, or let them come from a mirror.",
        },
        /// A mirror has no signing config, and nothing else names a service.
        #[error("the TUF mirror has no `{name}`, and nothing else says which {what} to use")]
        MissingConfig {
            /// The target that it lacks.
            name: &'static str,
            /// The kind of service.
            what: &'static str,
        } = "trust/missing-config", Trust {
            fix: "pass `--signing-config FILE`, which `ambisign trust create` makes, or `--fulcio-url`, `--rekor-url` and `--tsa-url`",
            what: "The mirror does not say which services to use.",
            why: "Older and private mirrors have no signing config.",
            advice: "Name the services by URL flags, or give `--signing-config`.",
        },
        /// A trusted root was given without services.
        #[error("a trusted root was given, but nothing says which {what} to use")]
        MissingService {
            /// The kind of service.
            what: &'static str,
        } = "trust/missing-service", Trust {
            fix: "pass `--signing-config FILE`, which `ambisign trust create` makes, or `--fulcio-url`, `--rekor-url` and `--tsa-url`",
            what: "A kind of service is not named.",
            why: "A trusted root holds keys and certificates; it names no service to use.",
            advice: "Give the URL flag of that service, or `--signing-config`.",
        },
        /// Services were given without a trusted root.
        #[error("services were given, but no trusted root that vouches for them")]
        MissingRoot = "trust/missing-root", Trust {
            fix: "pass `--trusted-root FILE`, which `ambisign trust create` makes",
            what: "Services are named, and nothing vouches for them.",
            why: "What an unknown service answers could not be verified.",
            advice: "Give its trusted root; `ambisign trust create` makes one.",
        },
        /// No trusted root was given to verify with.
        #[error("no trusted root was given, and TUF is not supported yet")]
        NoRoot = "trust/no-root", Trust {
            fix: "pass `--trusted-root FILE`: that of the instance that signed",
            what: "There is no trusted root to begin with.",
            why: "Neither a file nor a mirror gives one.",
            advice: "Give `--trusted-root`.",
        },
        /// The signing config offers no service of a kind that we can use now.
        #[error("the signing config offers no {what} that can be used now")]
        NoService {
            /// The kind of service.
            what: &'static str,
        } = "trust/no-service", Trust {
            fix: "pass a newer signing config with `--signing-config`, and check the clock",
            what: "The signing config lists no service of a kind that can be used.",
            why: "All are over, not valid yet, or of a version that this program does not speak.",
            advice: "Update the signing config or ambisign; check the clock.",
        },
        /// Rekor v2 gives no time, so a short-lived certificate needs a timestamp authority.
        #[error("a Rekor v2 log is used without a timestamp authority")]
        NoTimestampAuthority = "trust/no-timestamp-authority", Trust {
            what: "The log in use gives no time, and no authority is named that does.",
            why: "Version 2 of Rekor needs a timestamp beside it.",
            advice: "Give `--tsa-url`, or name an authority in the signing config.",
        },
        /// A file cannot be read.
        #[error("`{}` cannot be read", path.display())]
        Read {
            /// The file.
            path: PathBuf,
            /// What the system says.
            #[source]
            source: std::io::Error,
        } = "trust/read", Trust {
            fix: "check the file, and the flag or variable that names it",
            what: "A file of trust material could not be read.",
            why: "Its name is wrong, or it belongs to somebody else.",
            advice: "Check the path.",
        },
        /// A signing config asks for a number of services that it does not have.
        #[error("the signing config asks for {wanted} {what}s of different operators and has {found}")]
        TooFew {
            /// The kind of service.
            what: &'static str,
            /// How many it asks for.
            wanted: usize,
            /// How many it has.
            found: usize,
        } = "trust/too-few", Trust {
            fix: "pass a newer signing config with `--signing-config`, and check the clock",
            what: "The signing config asks for more services than it lists.",
            why: "They must be of different operators.",
            advice: "Correct the signing config.",
        },
        /// The TUF mirror gives nothing that can be used.
        #[error(transparent)]
        Tuf(#[from] tuf: tuf::Error) = of tuf,
        /// A service was named, and the trusted root of the mirror is not meant for it.
        #[error("the trusted root of the TUF mirror does not know the {what} {url}")]
        Unknown {
            /// The kind of service.
            what: &'static str,
            /// Its URL.
            url: String,
        } = "trust/unknown", Trust {
            fix: "pass the trusted root of this service with `--trusted-root`; `ambisign trust create` makes one",
            what: "A service that you name is not one that the mirror vouches for.",
            why: "What it answers could not be verified by anybody else.",
            advice: "Give the trusted root that lists it; `ambisign trust create` makes one.",
        },
        /// What a log answers fits no version of Rekor.
        #[error("{url} answered HTTP {status}, which no version of Rekor does")]
        UnknownLog {
            /// The URL that was asked.
            url: String,
            /// The status.
            status: u16,
        } = "trust/unknown-log", Trust {
            fix: "check `--rekor-url`, or say with `--rekor-version` what it speaks",
            what: "What is at the URL of the log is no log.",
            why: "Its version was asked for, and neither answer came.",
            advice: "Check the URL, or say the version with `--rekor-version`.",
        },
        /// A service is neither https nor plain HTTP to a loopback address.
        #[error("the {what} {url} is not https")]
        Url {
            /// The kind of service.
            what: &'static str,
            /// The URL.
            url: String,
        } = "trust/url", Usage {
            fix: "use an https URL without a user name in it",
            what: "A service has an address that is not encrypted.",
            why: "Tokens and signatures go over https alone, except on the machine itself.",
            advice: "Use its https URL.",
        },
    }
}

codes! {
    /// The warnings about trust material.
    pub WARNINGS {
        /// Certificates are accepted without the promise of a log.
        pub(super) NO_CT_LOG = "trust/no-ct-log" {
            what: "Certificates are accepted without the promise of a certificate transparency log (SCT).",
            why: "The trusted root is of a private instance and names no such log, so there is none to promise anything.",
            advice: "Nothing, if the instance has no CT log; else name it in the trusted root (`ambisign trust create --ctfe`).",
        },
    }
}
