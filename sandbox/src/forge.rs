// SPDX-License-Identifier: Apache-2.0
//! Signatures that no honest instance makes, each with the trusted root that it is of. Everything in
//! one is genuine, by keys of its root, but for what its recipe changes.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use crate::keys::{EcKey, Seed, sha256};
use crate::lie::Lies;
use crate::log::Verifier;
use crate::merkle::{Tree, leaf_hash};
pub use crate::tsa::Odd;
use crate::tsa::Tsa;
use crate::x509::{self, Authority, Role, Template, extension};
use crate::{Clock, Error, World, b64, der, fulcio, note, rekor1};

/// The name of the log.
const LOG: &str = "rekor.forged.test";
/// The tree of the log.
const TREE: u64 = 4711;
/// When everything in the trusted root begins to be trusted.
const START: &str = "2020-01-01T00:00:00Z";

/// The subject alternative name of a certificate.
#[derive(Clone, Debug)]
pub enum Name {
    /// rfc822Name
    Email(String),
    /// uniformResourceIdentifier
    Uri(String),
    /// otherName, of the type that Fulcio uses
    User(String),
}

/// What is signed.
#[derive(Clone, Debug)]
pub enum Content {
    /// A file.
    File(Vec<u8>),
    /// The statement in an envelope.
    Statement(Value),
}

/// A name constraints extension: whether it is critical, and its DER.
pub type Constraints = Option<(bool, Vec<u8>)>;

/// How a signature is made. The default is as the services of a sandbox make it.
#[derive(Clone, Debug)]
pub struct Recipe {
    /// When the certificate begins.
    pub begin: SystemTime,
    /// How long the certificate is valid.
    pub life: Duration,
    /// Who signs.
    pub name: Name,
    /// The issuer, in the older extension and in the newer one.
    pub issuers: [Option<String>; 2],
    /// What is signed.
    pub content: Content,
    /// The name constraints of the intermediate, and of the root.
    pub constraints: [Constraints; 2],
    /// The time of the signed certificate timestamp.
    pub promised: SystemTime,
    /// When the certificate transparency log was retired.
    pub ct_end: Option<SystemTime>,
    /// The time of the timestamp, if there is one.
    pub stamped: Option<SystemTime>,
    /// What is odd about the timestamp.
    pub odd_stamp: Odd,
    /// The time of the log entry.
    pub logged: SystemTime,
    /// Whether the log signed time and index of the entry (SET).
    pub is_promised: bool,
    /// The indices that the entry has outside of its proof: it is in the bundle once for each.
    pub indices: Vec<u64>,
}

impl Recipe {
    /// A signature of `content` at `begin`, of ten minutes, for joe@example.test.
    #[must_use]
    pub fn new(begin: SystemTime, content: Content) -> Self {
        let issuer = Some("https://issuer.example.test".to_owned());
        Self {
            begin,
            life: Duration::from_secs(600),
            name: Name::Email("joe@example.test".to_owned()),
            issuers: [issuer.clone(), issuer],
            content,
            constraints: [None, None],
            promised: begin,
            ct_end: None,
            stamped: Some(begin + Duration::from_secs(2)),
            odd_stamp: Odd::Nothing,
            logged: begin + Duration::from_secs(3),
            is_promised: true,
            indices: vec![1001],
        }
    }
}

/// A signature, as files.
#[derive(Clone, Debug)]
pub struct Forged {
    /// The bundle, of version 0.3.
    pub bundle: Value,
    /// The trusted root.
    pub trusted_root: Value,
}

/// Makes the signature of `recipe`. Its keys are always the same.
///
/// # Errors
/// A key could not be made.
pub fn forge(recipe: &Recipe) -> Result<Forged, Error> {
    let clock = Clock::fixed(recipe.begin);
    let (seed, lies) = (Seed(1), Lies::default());
    let world = World { seed, clock, lies, life: recipe.life };
    let [below, above] = recipe.constraints.clone().map(constraints);
    let root = x509::authority_with(&world, "forged-root", &Role::Ca(None), None, above)?;
    let role = Role::Ca(Some(x509::CODE_SIGNING));
    let ca = x509::authority_with(&world, "forged-intermediate", &role, Some(&root), below)?;
    let instance = Instance {
        tsa: Tsa::new(&world)?,
        ct: seed.ec("forged ct")?,
        rekor: seed.ec("forged rekor")?,
        root,
        ca,
    };
    let key = seed.ec("forged signer")?;
    let certificate = instance.certificate(recipe, &key);
    let verifier = Verifier::new("CERTIFICATE", certificate.clone());
    let verifier = verifier.ok_or_else(|| Error::key("not P-256"))?;
    let signed = Signed::new(&recipe.content, &key, &verifier);
    let mut material = json!({"certificate": {"rawBytes": b64(&certificate)},
        "tlogEntries": instance.entries(recipe, &signed)});
    if let (Some(time), Some(material)) = (recipe.stamped, material.as_object_mut()) {
        let stamp = b64(&instance.tsa.stamp_at(time, &signed.signature, recipe.odd_stamp));
        let stamps = json!({"rfc3161Timestamps": [{"signedTimestamp": stamp}]});
        material.insert("timestampVerificationData".to_owned(), stamps);
    }
    let (member, content) = signed.json;
    let bundle = json!({"mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
        "verificationMaterial": material, member: content});
    Ok(Forged { bundle, trusted_root: instance.trusted_root(recipe) })
}

fn constraints(found: Constraints) -> Vec<Vec<u8>> {
    let made = found.map(|(critical, der)| extension(&[2, 5, 29, 30], critical, &der));
    made.into_iter().collect()
}

/// The keys of the services.
struct Instance {
    root: Authority,
    ca: Authority,
    ct: EcKey,
    rekor: EcKey,
    tsa: Tsa,
}

/// What the signer made.
struct Signed {
    signature: Vec<u8>,
    kind: &'static str,
    body: Vec<u8>,
    json: (&'static str, Value),
}

impl Signed {
    fn new(content: &Content, key: &EcKey, verifier: &Verifier) -> Self {
        match content {
            Content::File(bytes) => {
                let (digest, signature) = (sha256(&[bytes]), key.sign(bytes));
                let body = rekor1::hashedrekord(&digest, &signature, verifier);
                let digest = json!({"algorithm": "SHA2_256", "digest": b64(&digest)});
                let message = json!({"messageDigest": digest, "signature": b64(&signature)});
                let json = ("messageSignature", message);
                Self { signature, kind: "hashedrekord", body, json }
            }
            Content::Statement(statement) => {
                let (kind, payload) = ("application/vnd.in-toto+json", statement.to_string());
                let signature = key.sign(&rekor1::pae(kind, payload.as_bytes()));
                let envelope = json!({"payload": b64(payload.as_bytes()), "payloadType": kind,
                    "signatures": [{"sig": b64(&signature)}]});
                let body = rekor1::dsse(&envelope.to_string(), std::slice::from_ref(verifier));
                let (body, json) = (body.unwrap_or_default(), ("dsseEnvelope", envelope));
                Self { signature, kind: "dsse", body, json }
            }
        }
    }
}

impl Instance {
    fn certificate(&self, recipe: &Recipe, key: &EcKey) -> Vec<u8> {
        let name = match &recipe.name {
            Name::Email(text) => der::element(0x81, text.as_bytes()),
            Name::Uri(text) => der::element(0x86, text.as_bytes()),
            Name::User(text) => {
                let text = der::element(0xa0, &der::element(der::UTF8_STRING, text.as_bytes()));
                der::element(0xa0, &[der::oid(&[1, 3, 6, 1, 4, 1, 57264, 1, 7]), text].concat())
            }
        };
        let mut extensions = vec![
            extension(&[2, 5, 29, 15], true, &[3, 2, 7, 0x80]),
            x509::purposes(false, x509::CODE_SIGNING),
            x509::key_id(&key.spki()),
            x509::authority_key_id(&self.ca.key.spki()),
            extension(&[2, 5, 29, 17], true, &der::sequence(&[&name])),
        ];
        let [older, newer] = &recipe.issuers;
        let bytes = |text: &String| text.as_bytes().to_vec();
        let older = older.iter().map(|text| (1, bytes(text)));
        let newer = newer.iter().map(|text| (8, der::element(der::UTF8_STRING, &bytes(text))));
        for (last, value) in older.chain(newer) {
            extensions.push(extension(&[1, 3, 6, 1, 4, 1, 57264, 1, last], false, &value));
        }
        let mut template = Template {
            subject: der::sequence(&[]),
            spki: key.spki(),
            not_before: recipe.begin,
            not_after: recipe.begin + recipe.life,
            serial: [7; 16],
            extensions,
        };
        let tbs = template.tbs(&self.ca.name);
        let sct = fulcio::sct(&self.ct, &self.ca, &tbs, (recipe.promised, 0));
        template.extensions.push(sct);
        self.ca.sign(&template.tbs(&self.ca.name))
    }

    /// The entries, in a tree with another leaf before them.
    fn entries(&self, recipe: &Recipe, signed: &Signed) -> Vec<Value> {
        let (mut tree, id) = (Tree::default(), self.rekor.id());
        tree.push(leaf_hash(b"another"));
        tree.push(leaf_hash(&signed.body));
        let (index, size) = (1, tree.size());
        let text = note::checkpoint(&format!("{LOG} - {TREE}"), size, tree.root(size));
        let checkpoint = note::signed(&text, LOG, &id, &self.rekor.sign(text.as_bytes()));
        let hashes: Vec<String> = tree.proof(index, size).iter().map(|hash| b64(hash)).collect();
        let proof = json!({"logIndex": index.to_string(), "rootHash": b64(&tree.root(size)),
            "treeSize": size.to_string(), "hashes": hashes, "checkpoint": {"envelope": checkpoint}});
        let body = b64(&signed.body);
        let time = recipe.logged.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let entry = |index: &u64| {
            let mut entry = json!({"logIndex": index.to_string(), "logId": {"keyId": b64(&id)},
                "kindVersion": {"kind": signed.kind, "version": "0.0.1"},
                "canonicalizedBody": body, "inclusionProof": proof});
            if let Some(members) = entry.as_object_mut().filter(|_| recipe.is_promised) {
                // JCS (RFC 8785).
                let id = hex::encode(id);
                let promise = format!(
                    r#"{{"body":"{body}","integratedTime":{time},"logID":"{id}","logIndex":{index}}}"#
                );
                let promise = b64(&self.rekor.sign(promise.as_bytes()));
                let promise = json!({"signedEntryTimestamp": promise});
                members.insert("inclusionPromise".to_owned(), promise);
                members.insert("integratedTime".to_owned(), time.to_string().into());
            }
            entry
        };
        recipe.indices.iter().map(entry).collect()
    }

    fn trusted_root(&self, recipe: &Recipe) -> Value {
        let log = |url: &str, key: &EcKey, end: Option<SystemTime>| {
            let mut valid = json!({"start": START});
            if let (Some(end), Some(valid)) = (end, valid.as_object_mut()) {
                let end = humantime::format_rfc3339_seconds(end).to_string();
                valid.insert("end".to_owned(), end.into());
            }
            json!({"baseUrl": url, "hashAlgorithm": "SHA2_256", "logId": {"keyId": b64(&key.id())},
                "publicKey": {"rawBytes": b64(&key.spki()), "keyDetails": "PKIX_ECDSA_P256_SHA_256",
                "validFor": valid}})
        };
        let authority = |uri: &str, chain: [&Authority; 2]| {
            let chain = chain.map(|one| json!({"rawBytes": b64(&one.certificate)}));
            json!({"subject": {"organization": "forged.test", "commonName": "forged"}, "uri": uri,
                "certChain": {"certificates": chain}, "validFor": {"start": START}})
        };
        json!({
            "mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
            "tlogs": [log("https://rekor.forged.test", &self.rekor, None)],
            "ctlogs": [log("https://ct.forged.test", &self.ct, recipe.ct_end)],
            "certificateAuthorities": [authority("https://fulcio.forged.test", [&self.ca, &self.root])],
            "timestampAuthorities": [authority("https://tsa.forged.test", [&self.tsa.leaf, &self.tsa.root])],
        })
    }
}
