// SPDX-License-Identifier: Apache-2.0
//! Creates trust material for a private deployment from its URLs, certificates and keys.
//!
//! The result is three files: a trusted root and a signing config, which ambisign and cosign read,
//! and both in one, which sigstore-python reads (`sigstore_trustroot.proto`: `TrustedRoot`,
//! `SigningConfig`, `ClientTrustConfig`). Before they are returned, they are read back by the rules of a
//! run, so they are known to be usable.

mod error;
mod material;
mod spec;

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use ambisign_host::file;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use humantime::format_rfc3339_seconds;
use serde_json::{Value, json};

pub use self::error::Error;
use self::material::{Chain, Key, Kind};
use self::spec::Spec;

use super::files::CLIENT_TRUST_CONFIG;
use super::{SigningConfig, TrustedRoot, root, services};

/// The services of a deployment: for each kind a list of descriptions of the form
/// `url=URL,KEY=VALUE,...`.
#[derive(Clone, Debug, Default)]
pub struct Deployment {
    /// Certificate authorities: `url`, `certificate-chain`.
    pub fulcio: Vec<String>,
    /// Certificate transparency logs: `url`, `public-key`. Empty if Fulcio has none.
    pub ctfe: Vec<String>,
    /// Transparency logs: `url`, `public-key`, and for Rekor v2 `api-version=2`.
    pub rekor: Vec<String>,
    /// Timestamp authorities: `url`, `certificate-chain`.
    pub tsa: Vec<String>,
    /// OIDC issuers for people: `url`.
    pub oidc: Vec<String>,
}

/// The finished files.
#[derive(Clone, Debug)]
pub struct Documents {
    /// A `TrustedRoot`.
    pub trusted_root: Vec<u8>,
    /// A `SigningConfig`.
    pub signing_config: Vec<u8>,
    /// A `ClientTrustConfig` with both.
    pub trust_config: Vec<u8>,
    /// One line for each service, for people to compare.
    pub lines: Vec<String>,
}

/// The entries that a list of descriptions becomes.
#[derive(Default)]
struct Entries {
    trusted: Vec<Value>,
    offered: Vec<Value>,
}

impl Deployment {
    /// Reads the certificates and keys, and creates the documents.
    ///
    /// # Errors
    /// A description or a file that it names is unusable, or the result is not usable at `now`.
    pub fn documents(&self, now: SystemTime) -> Result<Documents, Error> {
        let mut lines = Vec::new();
        let fulcio = authorities(Kind::CertificateAuthority, &self.fulcio, &mut lines)?;
        let ctfe = logs("ctfe", &self.ctfe, &mut lines)?;
        if self.ctfe.is_empty() {
            lines.push(format!("{:<7} none: certificates are accepted without SCT", "ctfe"));
        }
        let rekor = logs("rekor", &self.rekor, &mut lines)?;
        let tsa = authorities(Kind::TimestampAuthority, &self.tsa, &mut lines)?;
        let oidc = issuers(&self.oidc, &mut lines)?;
        let root = json!({
            "mediaType": root::WRITTEN_MEDIA_TYPE,
            "tlogs": rekor.trusted,
            "certificateAuthorities": fulcio.trusted,
            "ctlogs": ctfe.trusted,
            "timestampAuthorities": tsa.trusted,
        });
        let any = json!({ "selector": "ANY" });
        let mut config = json!({
            "mediaType": services::MEDIA_TYPE,
            "caUrls": fulcio.offered,
            "oidcUrls": oidc,
            "rekorTlogUrls": rekor.offered,
            "tsaUrls": tsa.offered,
            "rekorTlogConfig": any,
        });
        if !self.tsa.is_empty() {
            config["tsaConfig"] = any;
        }
        let both = json!({
            "mediaType": CLIENT_TRUST_CONFIG,
            "trustedRoot": root,
            "signingConfig": config,
        });
        let documents = Documents {
            trusted_root: text(&root),
            signing_config: text(&config),
            trust_config: text(&both),
            lines,
        };
        documents.usable(now)?;
        Ok(documents)
    }
}

impl Documents {
    /// Writes the files to `folder`, which is created if needed, and returns their paths.
    ///
    /// # Errors
    /// One of them exists, in which case nothing is written, or one cannot be written.
    pub fn write(&self, folder: &Path) -> Result<Vec<PathBuf>, Error> {
        let files = [
            ("trusted_root.json", &self.trusted_root),
            ("signing_config.json", &self.signing_config),
            ("trust_config.json", &self.trust_config),
        ];
        let files = files.map(|(name, bytes)| (folder.join(name), bytes));
        let mut paths = files.iter().map(|(path, _)| path);
        if let Some(path) = paths.find(|path| path.symlink_metadata().is_ok()) {
            return Err(Error::Exists { path: path.clone() });
        }
        let unwritable = |path: &Path| {
            let path = path.to_owned();
            move |source| Error::Write { path, source }
        };
        std::fs::create_dir_all(folder).map_err(unwritable(folder))?;
        for (path, bytes) in &files {
            file::write_new(path, bytes).map_err(unwritable(path))?;
        }
        Ok(files.map(|(path, _)| path).into())
    }

    /// Reads the files as a run at `now` would.
    fn usable(&self, now: SystemTime) -> Result<(), Error> {
        let root = TrustedRoot::parse(&self.trusted_root)?;
        let services = SigningConfig::parse(&self.signing_config)?.select(now)?;
        if services.authorities.is_empty() && services.logs.iter().any(|log| log.version == 2) {
            return Err(super::Error::NoTimestampAuthority.into());
        }
        root.sufficient(now, !services.authorities.is_empty())?;
        Ok(())
    }
}

/// Formats JSON for people too, because such files are compared and put under version control.
fn text(value: &Value) -> Vec<u8> {
    format!("{value:#}\n").into_bytes()
}

fn authorities(
    kind: Kind,
    descriptions: &[String],
    lines: &mut Vec<String>,
) -> Result<Entries, Error> {
    let flag = match kind {
        Kind::CertificateAuthority => "fulcio",
        Kind::TimestampAuthority => "tsa",
    };
    let mut entries = Entries::default();
    for description in descriptions {
        let spec = Spec::parse(flag, description, &["certificate-chain"])?;
        let chain = Chain::read(&spec.path("certificate-chain")?, kind)?;
        let (start, end) = spec.window(chain.start())?;
        let certificates: Vec<_> = chain
            .certificates()
            .map(|found| json!({ "rawBytes": STANDARD.encode(found.der()) }))
            .collect();
        entries.trusted.push(json!({
            "subject": chain.subject(),
            "uri": spec.url.as_str(),
            "certChain": { "certificates": certificates },
            "validFor": window(start, end),
        }));
        entries.offered.push(offer(&spec, 1, start, end));
        lines.push(format!("{flag:<7} {}  {}", spec.url, chain.fingerprint()));
    }
    Ok(entries)
}

fn logs(
    flag: &'static str,
    descriptions: &[String],
    lines: &mut Vec<String>,
) -> Result<Entries, Error> {
    let mut entries = Entries::default();
    for description in descriptions {
        let keys = ["public-key", "api-version", "origin"];
        let spec = Spec::parse(flag, description, &keys)?;
        let key = Key::read(&spec.path("public-key")?)?;
        // Nothing says when a key came into use, so it is trusted from the beginning of time, for every
        // entry of the log.
        let (start, end) = spec.window(SystemTime::UNIX_EPOCH)?;
        let version = spec.version()?;
        // Verifiers derive the name with which a log signs from this URL.
        let (base, id) = match (version, spec.origin()) {
            (_, Some(origin)) => (format!("https://{origin}"), key.note_id(origin)),
            (2, None) => (spec.base(), key.note_id(spec.url.host_str().unwrap_or_default())),
            (_, None) => (spec.base(), key.id()),
        };
        entries.trusted.push(json!({
            "baseUrl": base,
            "hashAlgorithm": root::TREE_HASH,
            "publicKey": {
                "rawBytes": STANDARD.encode(key.spki()),
                "keyDetails": key.details(),
                "validFor": window(start, end),
            },
            "logId": { "keyId": STANDARD.encode(id) },
        }));
        entries.offered.push(offer(&spec, version, start, end));
        lines.push(format!("{flag:<7} {}  log ID {}", spec.url, hex::encode(id)));
    }
    Ok(entries)
}

fn issuers(descriptions: &[String], lines: &mut Vec<String>) -> Result<Vec<Value>, Error> {
    let mut offered = Vec::new();
    for description in descriptions {
        let spec = Spec::parse("oidc-provider", description, &[])?;
        let (start, end) = spec.window(SystemTime::UNIX_EPOCH)?;
        offered.push(offer(&spec, 1, start, end));
        lines.push(format!("{:<7} {}", "oidc", spec.url));
    }
    Ok(offered)
}

fn offer(spec: &Spec, version: u32, start: SystemTime, end: Option<SystemTime>) -> Value {
    json!({
        "url": spec.base(),
        "majorApiVersion": version,
        "validFor": window(start, end),
        "operator": spec.operator(),
    })
}

fn window(start: SystemTime, end: Option<SystemTime>) -> Value {
    let text = |time| format_rfc3339_seconds(time).to_string();
    match end {
        Some(end) => json!({ "start": text(start), "end": text(end) }),
        None => json!({ "start": text(start) }),
    }
}
