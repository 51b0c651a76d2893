// SPDX-License-Identifier: Apache-2.0
//! `trusted_root.json`: the trusted authorities and logs, each with its validity
//! (`sigstore_trustroot.proto`).

use std::time::SystemTime;

use ambisign_host::excerpt;
use ambisign_host::request::same_url;
use serde::Deserialize;
use url::Url;

use super::error::Error;
use super::kind::ServiceKind;
use crate::digest::Digest;
use crate::pki::keys::{Hash, Kind, PublicKey};
use crate::pki::window::{self, Window};
use crate::pki::x509::Certificate;
use crate::protojson::{Base64, nullable};

/// The spellings of the media type.
const MEDIA_TYPES: [&str; 3] = [
    "application/vnd.dev.sigstore.trustedroot.v0.2+json",
    "application/vnd.dev.sigstore.trustedroot.v0.1+json",
    WRITTEN_MEDIA_TYPE,
];

/// The spelling that every client reads.
pub(super) const WRITTEN_MEDIA_TYPE: &str =
    "application/vnd.dev.sigstore.trustedroot+json;version=0.1";

/// The only hash of the trees of Sigstore's logs.
pub(super) const TREE_HASH: &str = "SHA2_256";

/// Log IDs of the public instance: its logs, and that of its certificates.
const PUBLIC_LOGS: [&str; 3] = [
    "c0d23d6ad406973f9559f3ba2d1ca01f84147d8ffc5b8445c224f98b9591801d",
    "cf1199155bddd051268d1f16ac5c0c75c009f6fb5a63f4177f8e18d7051e3fa0",
    "dd3d306ac6c7113263191e1c99673702a24a5eb8de3cadff878a72802f29ee8e",
];

/// A trusted root.
#[derive(Clone, Debug)]
pub struct TrustedRoot {
    digest: Digest,
    logs: Vec<Log>,
    ct_logs: Vec<Log>,
    names_ct_log: bool,
    authorities: Vec<Authority>,
    timestamp_authorities: Vec<Authority>,
    skipped: Vec<String>,
}

/// A transparency log or a certificate transparency log.
#[derive(Clone, Debug)]
pub struct Log {
    base_url: String,
    id: [u8; 32],
    hint: [u8; 4],
    key: PublicKey,
    hash: Hash,
    window: Window,
    operator: String,
}

impl Log {
    /// The 32-byte ID that entries and SCTs name.
    pub fn id(&self) -> &[u8; 32] {
        &self.id
    }

    /// The beginning of the ID of the key that signs checkpoints (C2SP signed-note, key ID).
    pub fn hint(&self) -> [u8; 4] {
        self.hint
    }

    /// The key.
    pub fn key(&self) -> &PublicKey {
        &self.key
    }

    /// Verifies that this log made `signature` over `message`, with the hash that the trusted root names.
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        self.key.verify(self.hash, message, signature)
    }

    /// Verifies that this log, which runs Rekor v1, made `signature` over `message`. Such logs sign with
    /// SHA-256 on every curve, but trusted roots name the usual hash of the curve (tufcli,
    /// `cosign trusted-root create`), so both are tried.
    pub fn verify_of_v1(&self, message: &[u8], signature: &[u8]) -> bool {
        let on_longer_curve = matches!(self.key.kind(), Kind::P384 | Kind::P521);
        let usual = [self.key.usual_hash(), Hash::Sha256];
        let usual = usual.into_iter().filter(|_| on_longer_curve);
        std::iter::once(self.hash)
            .chain(usual)
            .any(|hash| self.key.verify(hash, message, signature))
    }

    /// When the log is trusted.
    pub fn window(&self) -> Window {
        self.window
    }

    /// The operator of the log; the URL if the trusted root does not name the operator.
    pub fn operator(&self) -> &str {
        &self.operator
    }

    /// The URL.
    pub fn url(&self) -> &str {
        &self.base_url
    }

    /// The origin of the checkpoints of a Rekor v2 log: the host name of its URL.
    pub fn origin(&self) -> Option<String> {
        let url = Url::parse(&self.base_url).ok()?;
        url.host_str().map(str::to_owned)
    }
}

/// A certificate authority or a timestamp authority.
#[derive(Clone, Debug)]
pub struct Authority {
    uri: String,
    chain: Vec<Certificate>,
    window: Window,
    operator: String,
}

impl Authority {
    /// The certificates: for a certificate authority from the issuer of leaves to the anchor, for a
    /// timestamp authority from its own certificate to the anchor. Never empty.
    pub fn chain(&self) -> &[Certificate] {
        &self.chain
    }

    /// When the authority is trusted.
    pub fn window(&self) -> Window {
        self.window
    }

    /// The operator of the authority; the URI if the trusted root does not name the operator.
    pub fn operator(&self) -> &str {
        &self.operator
    }

    /// The URI.
    pub fn uri(&self) -> &str {
        &self.uri
    }

    /// Returns `true` if the authority and every certificate of its chain are valid at `time`.
    pub fn is_valid_at(&self, time: SystemTime) -> bool {
        let mut chain = self.chain.iter();
        self.window.contains(time) && chain.all(|found| found.validity().contains(time))
    }
}

impl TrustedRoot {
    /// Parses a trusted root, with any spelling of its media type.
    ///
    /// Entries with an unknown kind of key or hash are skipped; [`TrustedRoot::skipped`] names them.
    ///
    /// # Errors
    /// It is not a trusted root, a window has no start, or a certificate or key cannot be read.
    pub fn parse(json: &[u8]) -> Result<Self, Error> {
        let wire: Wire =
            ambisign_host::json::parse(json).map_err(|error| malformed(error.to_string()))?;
        if !MEDIA_TYPES.contains(&wire.media_type.as_str()) {
            return Err(malformed(format!("media type {:?}", excerpt(&wire.media_type))));
        }
        let mut skipped = Vec::new();
        Ok(Self {
            digest: Digest::of(json),
            logs: read_logs(&wire.tlogs, &mut skipped)?,
            ct_logs: read_logs(&wire.ctlogs, &mut skipped)?,
            names_ct_log: !wire.ctlogs.is_empty(),
            authorities: read_authorities(&wire.certificate_authorities)?,
            timestamp_authorities: read_authorities(&wire.timestamp_authorities)?,
            skipped,
        })
    }

    /// The digest of the file that it was read from.
    pub fn digest(&self) -> &Digest {
        &self.digest
    }

    /// The transparency log with this ID.
    pub fn log(&self, id: &[u8]) -> Option<&Log> {
        self.logs.iter().find(|log| log.id == id)
    }

    /// The certificate transparency logs with this ID. A log may be listed once for each window.
    pub fn ct_logs<'a>(&'a self, id: &'a [u8]) -> impl Iterator<Item = &'a Log> {
        self.ct_logs.iter().filter(move |log| log.id == id)
    }

    /// Returns `true` if every certificate needs an SCT. A private instance has no CT log if its root
    /// lists none at all; logs that were skipped as unknown count as listed.
    pub fn requires_sct(&self) -> bool {
        self.names_ct_log || self.is_public()
    }

    /// The transparency logs and the certificate transparency logs.
    pub fn logs(&self) -> (&[Log], &[Log]) {
        (&self.logs, &self.ct_logs)
    }

    /// The IDs of the transparency logs.
    pub fn log_ids(&self) -> impl Iterator<Item = &[u8; 32]> {
        self.logs.iter().map(Log::id)
    }

    /// Returns `true` if the logs include one of the public instance, for signatures or certificates.
    /// Its entries are public permanently.
    pub fn is_public(&self) -> bool {
        let ids = self.logs.iter().chain(&self.ct_logs).map(Log::id);
        let mut ids = ids.map(hex::encode);
        ids.any(|id| PUBLIC_LOGS.contains(&id.as_str()))
    }

    /// The certificate authorities.
    pub fn authorities(&self) -> &[Authority] {
        &self.authorities
    }

    /// The timestamp authorities.
    pub fn timestamp_authorities(&self) -> &[Authority] {
        &self.timestamp_authorities
    }

    /// The URLs of the skipped entries.
    pub fn skipped(&self) -> &[String] {
        &self.skipped
    }

    /// Returns `true` if an entry of this kind has this URL; a trailing slash does not matter. Fulcio
    /// entries that have expired at `now` do not count, because their hostname may have changed hands.
    pub(super) fn names(&self, kind: ServiceKind, url: &Url, now: SystemTime) -> bool {
        let is = |found: &str| Url::parse(found).is_ok_and(|found| same_url(&found, url));
        let any = |all: &[Authority]| all.iter().any(|found| is(found.uri()));
        match kind {
            ServiceKind::Fulcio => {
                let mut authorities = self.authorities.iter();
                authorities.any(|found| found.window.contains(now) && is(found.uri()))
            }
            ServiceKind::Log => self.logs.iter().any(|log| is(log.url())),
            ServiceKind::TimestampAuthority => any(&self.timestamp_authorities),
        }
    }

    /// Checks that everything that a run at `now` needs is listed, so that a run that cannot succeed ends
    /// before it makes anything public (gate G3).
    ///
    /// # Errors
    /// The first missing kind of entry.
    pub fn sufficient(&self, now: SystemTime, needs_timestamp: bool) -> Result<(), Error> {
        let any = |logs: &[Log]| logs.iter().any(|log| log.window.contains(now));
        let valid = |list: &[Authority]| list.iter().any(|found| found.is_valid_at(now));
        let needs = [
            ("certificate authority", valid(&self.authorities)),
            ("certificate transparency log", !self.requires_sct() || any(&self.ct_logs)),
            ("transparency log", any(&self.logs)),
            ("timestamp authority", !needs_timestamp || valid(&self.timestamp_authorities)),
        ];
        match needs.into_iter().find(|(_, there)| !there) {
            Some((what, _)) => Err(Error::Insufficient { what }),
            None => Ok(()),
        }
    }
}

fn malformed(why: impl Into<String>) -> Error {
    Error::Malformed { what: "trusted root", why: why.into() }
}

fn read_logs(wires: &[WireLog], skipped: &mut Vec<String>) -> Result<Vec<Log>, Error> {
    let mut logs = Vec::new();
    for wire in wires {
        match read_log(wire)? {
            Some(log) => logs.push(log),
            None => skipped.push(wire.base_url.clone()),
        }
    }
    Ok(logs)
}

/// A log, or `None` if the kind of its key or tree is unknown.
fn read_log(wire: &WireLog) -> Result<Option<Log>, Error> {
    let at = |why: &str| malformed(format!("log {}: {why}", excerpt(&wire.base_url)));
    // A log key without a start is an error in the file, not valid forever.
    let window = wire.public_key.valid_for.read();
    let window = window.ok_or_else(|| at("its key has no usable `validFor.start`"))?;
    let known =
        (wire.hash_algorithm == TREE_HASH).then(|| scheme(&wire.public_key.key_details)).flatten();
    let Some((kind, hash)) = known else {
        return Ok(None);
    };
    let bytes = &wire.public_key.raw_bytes.0;
    let key = PublicKey::from_spki(bytes)
        .or_else(|| PublicKey::from_pkcs1(bytes))
        .filter(|key| key.kind() == kind)
        .ok_or_else(|| at("its key does not match `keyDetails`"))?;
    let id = &wire.log_id.key_id.0;
    let id = <[u8; 32]>::try_from(id.as_slice())
        .map_err(|_length| at("its ID does not have 32 bytes"))?;
    let checkpoint = wire.checkpoint_key_id.key_id.0.as_slice();
    let hint = if checkpoint.is_empty() { &id } else { checkpoint };
    let hint = *hint.first_chunk().ok_or_else(|| at("its checkpoint key ID is too short"))?;
    Ok(Some(Log {
        base_url: wire.base_url.clone(),
        id,
        hint,
        key,
        hash,
        window,
        operator: operator(&wire.operator, &wire.base_url),
    }))
}

/// The kind of key and the hash of a `PublicKeyDetails`; `None` if it is unknown.
fn scheme(details: &str) -> Option<(Kind, Hash)> {
    match details {
        "PKIX_ED25519" => Some((Kind::Ed25519, Hash::Sha256)),
        "PKIX_ECDSA_P256_SHA_256" => Some((Kind::P256, Hash::Sha256)),
        "PKIX_ECDSA_P384_SHA_256" => Some((Kind::P384, Hash::Sha256)),
        "PKIX_ECDSA_P384_SHA_384" => Some((Kind::P384, Hash::Sha384)),
        "PKIX_ECDSA_P521_SHA_256" => Some((Kind::P521, Hash::Sha256)),
        "PKIX_ECDSA_P521_SHA_512" => Some((Kind::P521, Hash::Sha512)),
        "PKCS1_RSA_PKCS1V5"
        | "PKIX_RSA_PKCS1V5"
        | "PKIX_RSA_PKCS1V15_2048_SHA256"
        | "PKIX_RSA_PKCS1V15_3072_SHA256"
        | "PKIX_RSA_PKCS1V15_4096_SHA256" => Some((Kind::Rsa, Hash::Sha256)),
        _ => None,
    }
}

fn read_authorities(wires: &[WireAuthority]) -> Result<Vec<Authority>, Error> {
    wires.iter().map(read_authority).collect()
}

fn read_authority(wire: &WireAuthority) -> Result<Authority, Error> {
    let at = |why: &str| malformed(format!("authority {}: {why}", excerpt(&wire.uri)));
    let window = wire.valid_for.read();
    let chain: Option<Vec<_>> = wire
        .cert_chain
        .certificates
        .iter()
        .map(|wire| Certificate::parse(&wire.raw_bytes.0))
        .collect();
    let chain = chain.ok_or_else(|| at("a certificate cannot be read"))?;
    if chain.is_empty() {
        return Err(at("it has no certificate"));
    }
    Ok(Authority {
        uri: wire.uri.clone(),
        chain,
        window: window.ok_or_else(|| at("it has no usable `validFor.start`"))?,
        operator: operator(&wire.operator, &wire.uri),
    })
}

fn operator(named: &str, url: &str) -> String {
    let operator = if named.is_empty() { url } else { named };
    operator.to_owned()
}

/// The file.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wire {
    media_type: String,
    #[serde(default, deserialize_with = "nullable")]
    tlogs: Vec<WireLog>,
    #[serde(default, deserialize_with = "nullable")]
    ctlogs: Vec<WireLog>,
    #[serde(default, deserialize_with = "nullable")]
    certificate_authorities: Vec<WireAuthority>,
    #[serde(default, deserialize_with = "nullable")]
    timestamp_authorities: Vec<WireAuthority>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireLog {
    #[serde(default, deserialize_with = "nullable")]
    base_url: String,
    #[serde(default, deserialize_with = "nullable")]
    hash_algorithm: String,
    public_key: WireKey,
    log_id: WireId,
    #[serde(default, deserialize_with = "nullable")]
    checkpoint_key_id: WireId,
    #[serde(default, deserialize_with = "nullable")]
    operator: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireKey {
    raw_bytes: Base64,
    #[serde(default, deserialize_with = "nullable")]
    key_details: String,
    #[serde(default, deserialize_with = "nullable")]
    valid_for: window::Wire,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireId {
    #[serde(default, deserialize_with = "nullable")]
    key_id: Base64,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireAuthority {
    #[serde(default, deserialize_with = "nullable")]
    uri: String,
    cert_chain: WireChain,
    #[serde(default, deserialize_with = "nullable")]
    valid_for: window::Wire,
    #[serde(default, deserialize_with = "nullable")]
    operator: String,
}

#[derive(Debug, Deserialize)]
struct WireChain {
    #[serde(default, deserialize_with = "nullable")]
    certificates: Vec<WireCertificate>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireCertificate {
    raw_bytes: Base64,
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use serde_json::{Value, json};
    use url::Url;

    use super::{Error, ServiceKind, TrustedRoot};
    use crate::pki::keys::Kind;

    const PRODUCTION: &str =
        include_str!("../../../tests/vectors/roots/production/trusted_root.json");
    const STAGING: &str = include_str!("../../../tests/vectors/roots/staging/trusted_root.json");

    fn at(time: &str) -> SystemTime {
        humantime::parse_rfc3339(time).unwrap()
    }

    /// The production root after `change`.
    fn changed(change: impl FnOnce(&mut Value)) -> Result<TrustedRoot, Error> {
        let mut json = serde_json::from_str(PRODUCTION).unwrap();
        change(&mut json);
        TrustedRoot::parse(json.to_string().as_bytes())
    }

    #[test]
    fn a_log_of_the_public_instance_is_enough_to_be_public() {
        let newest = |list: &'static str, others: &[&'static str]| {
            let others = others.to_vec();
            changed(move |json| {
                let logs = json[list].as_array_mut().unwrap();
                *logs = vec![logs.pop().unwrap()];
                for other in others {
                    json[other] = serde_json::json!([]);
                }
            })
        };
        assert!(newest("ctlogs", &["tlogs"]).unwrap().is_public());
        assert!(newest("tlogs", &["ctlogs"]).unwrap().is_public());
        let private = changed(|json| {
            json["tlogs"] = serde_json::json!([]);
            json["ctlogs"] = serde_json::json!([]);
        });
        assert!(!private.unwrap().is_public());
    }

    /// The root of a private instance without CT log.
    fn private_without_ct_log() -> Value {
        let mut json: Value = serde_json::from_str(STAGING).unwrap();
        json["ctlogs"] = json!([]);
        json
    }

    #[test]
    fn no_ct_log_is_the_word_of_a_private_root_alone() {
        let requires = |json: Value| {
            let root = TrustedRoot::parse(json.to_string().as_bytes()).unwrap();
            let sufficient = root.sufficient(at("2026-11-25T00:00:00Z"), false);
            (root.requires_sct(), sufficient.is_ok())
        };
        assert_eq!(requires(private_without_ct_log()), (false, true));
        let mut null = private_without_ct_log();
        null["ctlogs"] = Value::Null;
        assert_eq!(requires(null), (false, true));
        // A log that is not understood is one nevertheless.
        let mut later: Value = serde_json::from_str(STAGING).unwrap();
        for log in later["ctlogs"].as_array_mut().unwrap() {
            log["publicKey"]["keyDetails"] = "PKIX_OF_THE_FUTURE".into();
        }
        assert_eq!(requires(later), (true, false));
        let mut public: Value = serde_json::from_str(PRODUCTION).unwrap();
        public["ctlogs"] = json!([]);
        assert_eq!(requires(public), (true, false));
    }

    #[test]
    fn reads_the_public_instances() {
        let production = TrustedRoot::parse(PRODUCTION.as_bytes()).unwrap();
        assert_eq!(production.log_ids().count(), 2);
        assert_eq!(production.authorities().len(), 2);
        assert_eq!(production.skipped(), [""; 0]);
        let staging = TrustedRoot::parse(STAGING.as_bytes()).unwrap();
        assert_eq!(staging.timestamp_authorities().len(), 2);
        assert!(production.is_public() && !staging.is_public());
        assert_eq!(staging.skipped(), [""; 0]);
        // The key of the oldest CT log is in another form than all others.
        assert_eq!(staging.ct_logs[0].key().kind(), Kind::Rsa);
    }

    #[test]
    fn reads_every_spelling_of_the_media_type() {
        for (version, good) in [
            ("application/vnd.dev.sigstore.trustedroot.v0.2+json", true),
            ("application/vnd.dev.sigstore.trustedroot.v0.1+json", true),
            ("application/vnd.dev.sigstore.trustedroot+json;version=0.1", true),
            ("application/vnd.dev.sigstore.trustedroot+json;version=0.2", false),
            ("application/json", false),
        ] {
            let found = changed(|json| json["mediaType"] = version.into());
            assert_eq!(found.is_ok(), good, "{version}");
        }
    }

    #[test]
    fn leaves_out_what_it_does_not_know() {
        let root = changed(|json| {
            json["tlogs"][1]["publicKey"]["keyDetails"] = "PKIX_OF_THE_FUTURE".into();
            json["ctlogs"][0]["hashAlgorithm"] = "SHA3_512".into();
        });
        let root = root.unwrap();
        assert_eq!(root.logs.len(), 1);
        let skipped = ["https://log2025-1.rekor.sigstore.dev", "https://ctfe.sigstore.dev/test"];
        assert_eq!(root.skipped(), skipped);
    }

    #[test]
    fn refuses_what_is_broken() {
        let changes: [fn(&mut Value); 9] = [
            |json| json["tlogs"][0]["publicKey"]["validFor"] = Value::Null,
            |json| {
                json["tlogs"][0]["publicKey"]["validFor"] = json!({"end": "2030-01-01T00:00:00Z"})
            },
            |json| json["tlogs"][0]["publicKey"]["validFor"]["start"] = "yesterday".into(),
            |json| json["tlogs"][0]["publicKey"]["rawBytes"] = "AAAA".into(),
            |json| json["tlogs"][0]["publicKey"]["keyDetails"] = "PKIX_ED25519".into(),
            |json| json["tlogs"][0]["logId"]["keyId"] = "AAAA".into(),
            |json| json["certificateAuthorities"][0]["validFor"] = json!({}),
            |json| json["certificateAuthorities"][0]["certChain"]["certificates"] = json!([]),
            |json| {
                json["certificateAuthorities"][0]["certChain"]["certificates"][0]["rawBytes"] =
                    "AAAA".into();
            },
        ];
        for change in changes {
            assert!(matches!(changed(change), Err(Error::Malformed { .. })));
        }
    }

    /// A log whose kind of key is known has a key of that kind, or the root is broken.
    #[test]
    fn a_key_is_of_the_kind_that_its_log_names() {
        for (details, known) in [
            ("PKIX_ED25519", true),
            ("PKIX_ECDSA_P384_SHA_256", true),
            ("PKIX_ECDSA_P384_SHA_384", true),
            ("PKIX_ECDSA_P521_SHA_256", true),
            ("PKIX_ECDSA_P521_SHA_512", true),
            ("PKCS1_RSA_PKCS1V5", true),
            ("PKIX_RSA_PKCS1V5", true),
            ("PKIX_RSA_PKCS1V15_2048_SHA256", true),
            ("PKIX_RSA_PKCS1V15_3072_SHA256", true),
            ("PKIX_RSA_PKCS1V15_4096_SHA256", true),
            ("PKIX_ECDSA_P256_SHA_512", false),
            ("", false),
        ] {
            // The key itself is of P-256.
            let found = changed(|json| {
                json["tlogs"][0]["publicKey"]["keyDetails"] = details.into();
            });
            assert_eq!(found.is_err(), known, "{details}");
        }
    }

    #[test]
    fn reads_the_fields_of_version_0_2() {
        let root = changed(|json| {
            json["tlogs"][0]["operator"] = "example.test".into();
            json["tlogs"][0]["checkpointKeyId"] = json!({"keyId": "AQIDBA=="});
            json["tlogs"][1]["operator"] = Value::Null;
            json["tlogs"][1]["checkpointKeyId"] = Value::Null;
        });
        let root = root.unwrap();
        assert_eq!(root.logs[0].operator(), "example.test");
        assert_eq!(root.logs[0].hint(), [1, 2, 3, 4]);
        assert_eq!(root.logs[1].operator(), "https://log2025-1.rekor.sigstore.dev");
        assert_eq!(root.logs[1].hint(), [0xcf, 0x11, 0x99, 0x15]);
    }

    #[test]
    fn suffices_when_everything_is_valid_now() {
        let root = TrustedRoot::parse(PRODUCTION.as_bytes()).unwrap();
        let lacks = |time, needs_timestamp| match root.sufficient(at(time), needs_timestamp) {
            Err(Error::Insufficient { what }) => Some(what),
            _ => None,
        };
        assert_eq!(lacks("2026-11-25T00:00:00Z", true), None);
        assert_eq!(lacks("2023-01-01T00:00:00Z", false), None);
        assert_eq!(lacks("2023-01-01T00:00:00Z", true), Some("timestamp authority"));
        assert_eq!(lacks("2020-01-01T00:00:00Z", false), Some("certificate authority"));
        // The certificates of the authority end before its window does.
        assert_eq!(lacks("2036-01-01T00:00:00Z", false), Some("certificate authority"));
        for (member, what) in
            [("ctlogs", "certificate transparency log"), ("tlogs", "transparency log")]
        {
            let root = changed(|json| json[member] = json!([])).unwrap();
            let error = root.sufficient(at("2026-11-25T00:00:00Z"), true).unwrap_err();
            assert!(matches!(error, Error::Insufficient { what: found } if found == what));
        }
    }

    #[test]
    fn names_urls() {
        let root = TrustedRoot::parse(PRODUCTION.as_bytes()).unwrap();
        let stamps = "https://timestamp.sigstore.dev/api/v1/timestamp";
        for (kind, url, named) in [
            (ServiceKind::Fulcio, "https://fulcio.sigstore.dev", true),
            (ServiceKind::Fulcio, "https://FULCIO.sigstore.dev:443/", true),
            (ServiceKind::Fulcio, "https://fulcio.sigstore.dev.example.test", false),
            (ServiceKind::Fulcio, "http://fulcio.sigstore.dev", false),
            // Another service must not get the token.
            (ServiceKind::Fulcio, "https://rekor.sigstore.dev", false),
            (ServiceKind::Fulcio, stamps, false),
            (ServiceKind::Log, "https://rekor.sigstore.dev", true),
            (ServiceKind::Log, "https://ctfe.sigstore.dev/2022", false),
            (ServiceKind::TimestampAuthority, stamps, true),
        ] {
            let found = root.names(kind, &Url::parse(url).unwrap(), at("2026-11-25T00:00:00Z"));
            assert_eq!(found, named, "{kind:?} {url}");
        }
        let url = Url::parse("https://fulcio.sigstore.dev").unwrap();
        assert!(!root.names(ServiceKind::Fulcio, &url, at("2021-01-01T00:00:00Z")));
    }
}
