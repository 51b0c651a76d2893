// SPDX-License-Identifier: Apache-2.0
//! What is wrong with the settings of the network, and what a program calls its own.

use std::path::PathBuf;

use crate::codes;

/// What a program calls its settings for HTTP; messages give general advice where there is no name.
#[derive(Clone, Copy, Debug, Default)]
pub struct SettingNames {
    /// The time of the whole run, for instance `--timeout`.
    pub timeout: Option<&'static str>,
    /// A file of additional CA certificates.
    pub ca_file: Option<&'static str>,
}

codes! {
    /// The warnings about variables and files that say how the network is used.
    pub NETWORK_WARNINGS {
        pub(super) CERTIFICATE = "network/certificate" {
            what: "A CA certificate cannot be read and is skipped.",
            why: "Its PEM or DER is damaged, or the file or folder cannot be opened.",
            advice: "Correct or remove it. The other certificates are used.",
        },
        pub(super) NO_PROXY = "network/no-proxy" {
            what: "An entry of `NO_PROXY` does not match any host and has no effect.",
            why: "An entry is a host, a domain, an address or a network, and all but a network can have a port. `*` alone matches every host.",
            advice: "Correct the entry, or remove it.",
        },
        pub(super) UNUSED = "network/unused" {
            what: "A proxy variable is set in upper and in lower case, to different values.",
            why: "ambisign uses the name in upper case, as programs written in Go do.",
            advice: "Unset one of the two.",
        },
    }
}

/// Why no HTTP client could be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// A CA file or folder cannot be read or holds no certificate.
    #[error("cannot read CA certificates from `{}`{}: {why}", path.display(), named_by(*setting))]
    CaFile {
        /// The file or folder.
        path: PathBuf,
        /// The variable or flag that names it; `None` for what the machine has.
        setting: Option<&'static str>,
        /// The reason.
        why: String,
    },
    /// A variable is in another encoding.
    #[error("the value of `{variable}` is not UTF-8")]
    NotUtf8 {
        /// The variable.
        variable: &'static str,
    },
    /// A proxy variable does not hold the URL of a proxy.
    #[error("the value of `{variable}` is not the URL of a proxy")]
    Proxy {
        /// The variable. Its value may hold a password.
        variable: &'static str,
    },
    /// A proxy variable names a proxy of another kind.
    #[error("`{variable}` names a proxy with the scheme `{scheme}`, which is not supported")]
    ProxyScheme {
        /// The variable.
        variable: &'static str,
        /// The scheme of its URL.
        scheme: String,
    },
    /// The TLS stack does not start.
    #[error("the HTTP client cannot be built: {why}")]
    Build {
        /// The reason.
        why: String,
    },
}

impl ClientError {
    /// The variable or flag that is to be corrected.
    pub fn setting(&self) -> Option<&'static str> {
        match self {
            Self::CaFile { setting, .. } => *setting,
            Self::NotUtf8 { variable }
            | Self::Proxy { variable }
            | Self::ProxyScheme { variable, .. } => Some(variable),
            Self::Build { .. } => None,
        }
    }

    /// One imperative sentence, if the reader can do something.
    pub fn fix(&self) -> Option<String> {
        Some(match self {
            Self::CaFile {
                setting: Some(setting),
                ..
            } => format!("set `{setting}` to readable PEM certificates, or remove it"),
            Self::CaFile { setting: None, .. } => {
                "reinstall the CA certificates of this machine, or set `SSL_CERT_FILE` to a file of \
                 PEM certificates"
                    .to_owned()
            }
            Self::NotUtf8 { variable } => format!("write `{variable}` in UTF-8, or unset it"),
            Self::Proxy { variable } => format!(
                "set `{variable}` to `http://HOST:PORT` or `http://USER:PASSWORD@HOST:PORT`, with \
                 special characters of the password as `%XX`, or unset it"
            ),
            Self::ProxyScheme { variable, .. } => format!(
                "set `{variable}` to a URL with `http://`, `https://` or `socks5://`, or unset it"
            ),
            Self::Build { .. } => return None,
        })
    }
}

fn named_by(setting: Option<&str>) -> String {
    setting.map(|setting| format!(", which `{setting}` names")).unwrap_or_default()
}
