// SPDX-License-Identifier: Apache-2.0
//! Application default credentials: the file with the identity for calls to Google.
//!
//! Such a file can name programs to run and hosts that receive secrets. Only the type `service_account`,
//! which needs neither, is supported; others are refused with the name of their type.

use std::io;
use std::path::PathBuf;

use ambisign_host::file::Distrust;
use ambisign_host::{Host, errors};
use serde::Deserialize;
use zeroize::Zeroizing;

use super::service_account::{self, Key};
use crate::Options;
use crate::providers::file::read_credential;

const VARIABLE: &str = "GOOGLE_APPLICATION_CREDENTIALS";

/// The name of the file in gcloud's own folder.
const WELL_KNOWN: &str = "application_default_credentials.json";

errors! {
    /// A credential file is unusable.
    #[derive(Debug, thiserror::Error)]
    pub enum Error {
        #[error("`{}` is not a Google credential file: {why}", path.display())]
        Malformed {
            path: PathBuf,
            /// The reason. It never contains a value from the file.
            why: &'static str,
        } = "adc/malformed", Identity {
            what: "The file with the Google credentials of this machine is malformed.",
            why: "It is truncated, was edited by hand, or contains something else, such as a wrapped secret.",
            advice: "Download the key file again, and set `GOOGLE_APPLICATION_CREDENTIALS` to its path.",
        },
        #[error("the Google credential file `{}` {}", path.display(), match doubt {
            Distrust::OtherOwner(owner) => format!("belongs to another user of this machine (ID {owner})"),
            Distrust::WritableByOthers => "is writable by other users of this machine".to_owned(),
        })]
        NotTrusted { path: PathBuf, doubt: Distrust } = "adc/not-trusted", Identity {
            what: "Another user of this machine can replace the file with the Google credentials.",
            why: "The file belongs to that user, or its mode lets others write it. It decides which identity signs.",
            advice: "Make it a file of the user that signs or of root, which no other user may write.",
        },
        #[error("the Google credential file `{}` names a program to run", path.display())]
        Program { path: PathBuf, bring: String } = "adc/program", Identity {
            fix: bring.clone(),
            what: "The Google credential file names a program to run, which is never run.",
            why: "Such files are for identity federation with an executable source. Anyone who can write the file could run any program in the job.",
            advice: "Have another step write the token to a file or to a token variable.",
        },
        #[error("the Google credential file `{}` cannot be read", path.display())]
        Unreadable { path: PathBuf, source: io::Error } = "adc/unreadable", Identity {
            what: "The file with the Google credentials cannot be read.",
            why: "The path is wrong, or the file belongs to another user or another container.",
            advice: "Correct the path in `GOOGLE_APPLICATION_CREDENTIALS`, or unset it.",
        },
        #[error("the Google credential file `{}` is of type {kind:?}, which is not supported yet", path.display())]
        Unsupported { path: PathBuf, kind: String, bring: String } = "adc/unsupported", Identity {
            fix: bring.clone(),
            what: "The type of the Google credential file is not supported.",
            why: "Files for the login of a person or for identity federation need token exchanges that are not implemented.",
            advice: "Use the key of a service account, run on Google Cloud, or set a token variable.",
        },
    }
}

impl From<Error> for crate::Error {
    fn from(error: Error) -> Self {
        Self::new(error)
    }
}

/// The configured service-account key; `None` if no file is configured.
pub(crate) fn key(host: &Host, options: &Options) -> Result<Option<Key>, crate::Error> {
    let Some((path, text)) = read(host)? else {
        return Ok(None);
    };
    let why = "it is not a JSON object with `type`";
    let malformed = |why| Error::Malformed { path: path.clone(), why };
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
        let runs = head.credential_source.is_some_and(|s| s.executable.is_some());
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

/// Reads the file. A named file must exist, because no other credential is guessed; gcloud's default file
/// may be missing.
fn read(host: &Host) -> Result<Option<(PathBuf, Zeroizing<String>)>, Error> {
    let named = host.env.get(VARIABLE).map(PathBuf::from);
    let path = match named {
        Some(path) => path,
        None => match well_known(host) {
            Some(path) if path.exists() => path,
            Some(_) | None => return Ok(None),
        },
    };
    match read_credential(&path) {
        Ok((text, None)) => Ok(Some((path, text))),
        Ok((_, Some(doubt))) => Err(Error::NotTrusted { path, doubt }),
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
        for kind in ["authorized_user", "external_account", "gdch_service_account"] {
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
