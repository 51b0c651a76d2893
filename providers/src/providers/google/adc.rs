// SPDX-License-Identifier: Apache-2.0
//! Application default credentials: which file says as whom Google is called.
//!
//! A file can name programs to run and hosts to send secrets to. Only the type that needs neither,
//! `service_account`, is used; the others are refused by their names.

use std::io;
use std::path::PathBuf;

use ambisign_host::{Host, errors};
use serde::Deserialize;

use super::service_account::{self, Key};
use crate::Options;
use crate::providers::file::read_small;

const VARIABLE: &str = "GOOGLE_APPLICATION_CREDENTIALS";

/// Where gcloud keeps the file, below its own folder.
const WELL_KNOWN: &str = "application_default_credentials.json";

errors! {
    /// Why a credential file cannot be used.
    #[derive(Debug, thiserror::Error)]
    pub enum Error {
        /// It is no credential file.
        #[error("the Google credential file `{}` is not one: {why}", path.display())]
        Malformed {
            /// The file.
            path: PathBuf,
            /// What is missing. Never a value of the file.
            why: &'static str,
        } = "adc/malformed", Identity {
            what: "The file with the Google credentials of this machine is malformed.",
            why: "It was cut, edited by hand, or holds something else, such as the secret around it.",
            advice: "Download the key file again, and let `GOOGLE_APPLICATION_CREDENTIALS` name it.",
        },
        /// It says which program to run for a token, which never happens.
        #[error("the Google credential file `{}` wants to run a program", path.display())]
        Program {
            /// The file.
            path: PathBuf,
            /// How the token can be brought instead.
            bring: String,
        } = "adc/program", Identity {
            fix: bring.clone(),
            what: "The Google credential file asks for a program to be run, which never happens.",
            why: "Identity federation with an executable source makes such files. Anyone who can write the file could run anything in the job.",
            advice: "Have another step write the token to a file or to a token variable.",
        },
        /// It cannot be read.
        #[error("the Google credential file `{}` cannot be read", path.display())]
        Unreadable {
            /// The file.
            path: PathBuf,
            /// What the system says.
            source: io::Error,
        } = "adc/unreadable", Identity {
            what: "The file with the Google credentials cannot be read.",
            why: "The path is wrong, or the file belongs to another user or another container.",
            advice: "Correct the path in `GOOGLE_APPLICATION_CREDENTIALS`, or unset it.",
        },
        /// It is of a type that cannot be used yet.
        #[error("the Google credential file `{}` is of type {kind:?}, which is not supported yet", path.display())]
        Unsupported {
            /// The file.
            path: PathBuf,
            /// Its type.
            kind: String,
            /// How the token can be brought instead.
            bring: String,
        } = "adc/unsupported", Identity {
            fix: bring.clone(),
            what: "The Google credential file is of a type that is not supported.",
            why: "Files of a person's login or of identity federation need exchanges that are not built.",
            advice: "Use the key of a service account, run on Google Cloud, or set a token variable.",
        },
    }
}

impl From<Error> for crate::Error {
    fn from(error: Error) -> Self {
        Self::new(error)
    }
}

/// The service-account key that is configured; `None` when no file is.
pub(crate) fn key(host: &Host, options: &Options) -> Result<Option<Key>, crate::Error> {
    let Some((path, text)) = read(host)? else {
        return Ok(None);
    };
    let why = "it is no JSON object with `type`";
    let malformed = |why| Error::Malformed {
        path: path.clone(),
        why,
    };
    let head: Head =
        ambisign_host::json::parse(text.as_bytes()).map_err(|_secret| malformed(why))?;
    let account = host.env.get("GOOGLE_SERVICE_ACCOUNT_NAME");
    let account = account.filter(|name| !name.is_empty()).unwrap_or("ACCOUNT");
    let bring = || {
        format!(
            "use a service-account key or run on Google Cloud; or set `{}` to the output of \
             `gcloud auth print-identity-token --include-email --audiences={} \
             --impersonate-service-account={account}`",
            options.variable(),
            options.audience
        )
    };
    if head.kind != "service_account" {
        let (kind, bring) = (head.kind, bring());
        let runs = head
            .credential_source
            .is_some_and(|s| s.executable.is_some());
        return Err(if runs {
            Error::Program { path, bring }
        } else {
            Error::Unsupported { path, kind, bring }
        }
        .into());
    }
    let why = "it lacks a member of a service-account key";
    let file: service_account::File =
        ambisign_host::json::parse(text.as_bytes()).map_err(|_secret| malformed(why))?;
    Ok(Some(Key::new(&host.net, file)?))
}

#[derive(Deserialize)]
struct Head {
    #[serde(rename = "type")]
    kind: String,
    credential_source: Option<CredentialSource>,
}

#[derive(Deserialize)]
struct CredentialSource {
    executable: Option<serde::de::IgnoredAny>,
}

/// A file that is named must be there: another credential is not guessed. The well-known file of
/// gcloud may be absent.
fn read(host: &Host) -> Result<Option<(PathBuf, String)>, Error> {
    let named = host.env.get(VARIABLE).map(PathBuf::from);
    let path = match named {
        Some(path) => path,
        None => match well_known(host) {
            Some(path) if path.exists() => path,
            Some(_) | None => return Ok(None),
        },
    };
    match read_small(&path) {
        Ok(text) => Ok(Some((path, text))),
        Err(source) => Err(Error::Unreadable { path, source }),
    }
}

fn well_known(host: &Host) -> Option<PathBuf> {
    let folder = match host.env.get("CLOUDSDK_CONFIG") {
        Some(folder) => PathBuf::from(folder),
        None => host.home()?.join(".config/gcloud"),
    };
    Some(folder.join(WELL_KNOWN))
}

#[cfg(test)]
mod tests {
    use ambisign_host::Explain;

    use super::key;
    use crate::choose::tests::Place;

    fn refusal(text: &str) -> crate::Error {
        let place = Place::new().file("/adc.json", text);
        let path = place.host().path("/adc.json");
        let place = place.var("GOOGLE_APPLICATION_CREDENTIALS", path.to_str().unwrap());
        key(&place.host(), &place.options()).err().unwrap()
    }

    #[test]
    fn other_types_are_refused_by_name() {
        for kind in [
            "authorized_user",
            "external_account",
            "gdch_service_account",
        ] {
            let error = refusal(&format!(r#"{{"type":"{kind}","client_secret":"c4n4ry"}}"#));
            assert_eq!(error.code(), "adc/unsupported");
            assert!(error.to_string().contains(kind));
            assert!(error.fix().unwrap().contains("TEST_ID_TOKEN"));
            assert!(!format!("{error:?}").contains("c4n4ry"));
        }
        let program =
            r#"{"type":"external_account","credential_source":{"executable":{"command":"rm"}}}"#;
        assert_eq!(refusal(program).code(), "adc/program");
    }

    #[test]
    fn what_is_no_credential_file_is_refused() {
        assert_eq!(refusal("c4n4ry").code(), "adc/malformed");
        let error = refusal(r#"{"type":"service_account","private_key":5}"#);
        assert_eq!(error.code(), "adc/malformed");
    }

    #[test]
    fn a_named_file_must_be_there_and_the_well_known_one_not() {
        let place = Place::new().var("GOOGLE_APPLICATION_CREDENTIALS", "/nowhere/adc.json");
        let error = key(&place.host(), &place.options()).err().unwrap();
        assert_eq!(error.code(), "adc/unreadable");
        let place = Place::new().var("HOME", "/nowhere");
        assert!(key(&place.host(), &place.options()).unwrap().is_none());
    }
}
