// SPDX-License-Identifier: Apache-2.0
//! Fulcio: short-lived certificates for OIDC identities, each with an embedded SCT.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use serde_json::{Value, json};

use crate::der::{self, Reader, element, sequence};
use crate::http::{Reply, Request, Service, failure, not_found, reply_json};
use crate::keys::{EcKey, PublicKey, sha256};
use crate::lie::Lie;
use crate::oidc::{Claims, Issuer, Kind};
use crate::x509::{self, Authority, Template, extension};
use crate::{Error, World, unb64};

/// The certificate authority with its CT log.
pub(crate) struct Fulcio {
    pub(crate) root: Authority,
    pub(crate) ca: Authority,
    /// The same name as `ca`; no trusted root lists it.
    impostor: Authority,
    pub(crate) ct: EcKey,
    stranger: EcKey,
    pub(crate) issuer: Arc<Issuer>,
    /// Number of the next certificate.
    count: AtomicU64,
    world: World,
}

/// What a token says of its bearer.
struct Identity {
    /// What a client signs to show that it holds the key.
    challenge: String,
    /// The GeneralName.
    name: Vec<u8>,
    issuer: String,
    /// The other extensions: last arc and text. Those below 8 are bare bytes.
    more: Vec<(u32, String)>,
}

/// Why there is no certificate: always status 400, code 3, as with the real one.
type Refusal = &'static str;

impl Fulcio {
    /// A new authority; its keys come from the seed.
    pub(crate) fn new(world: &World, issuer: Arc<Issuer>) -> Result<Self, Error> {
        let seed = world.seed;
        let root = x509::authority(world, "sandbox-root", &x509::Role::Ca(None), None)?;
        let role = x509::Role::Ca(Some(x509::CODE_SIGNING));
        let limits = world.tell(Lie::AuthorityWithNameConstraints).then(other_names);
        let limits = limits.into_iter().collect();
        let ca = x509::authority_with(world, "sandbox-intermediate", &role, Some(&root), limits)?;
        let mut impostor = x509::authority(world, "sandbox-impostor", &role, None)?;
        impostor.name.clone_from(&ca.name);
        let (ct, stranger) = (seed.ec("ct")?, seed.ec("another ct")?);
        let (count, world) = (AtomicU64::new(0), world.clone());
        Ok(Self { root, ca, impostor, ct, stranger, issuer, count, world })
    }

    fn issue(&self, request: &Request) -> Result<Reply, Refusal> {
        let ask = request.json().ok_or("the request is not JSON")?;
        let inside =
            |pointer| ask.pointer(pointer).and_then(Value::as_str).filter(|text| !text.is_empty());
        let token = inside("/credentials/oidcIdentityToken")
            .or_else(|| request.bearer())
            .ok_or("There was an error processing the identity token")?;
        let (kind, claims) =
            self.issuer.verify(token).ok_or("There was an error processing the identity token")?;
        let identity = Identity::read(kind, &claims)?;
        let spki = match inside("/certificateSigningRequest") {
            Some(csr) => {
                key_of_request(csr).ok_or("The certificate signing request is not valid")?
            }
            None => {
                let pem = inside("/publicKeyRequest/publicKey/content");
                let spki = pem
                    .and_then(|pem| x509::from_pem("PUBLIC KEY", pem))
                    .ok_or("The public key supplied in the request could not be parsed")?;
                let proof = inside("/publicKeyRequest/proofOfPossession").and_then(unb64);
                proven(&spki, identity.challenge.as_bytes(), proof)
                    .ok_or("The signature supplied in the request could not be verified")?;
                spki
            }
        };
        let leaf = self.certify(identity, spki);
        let chain = [&leaf, &self.ca.certificate, &self.root.certificate]
            .map(|der| x509::pem("CERTIFICATE", der).trim_end().to_owned());
        Ok(reply_json(
            200,
            &json!({"signedCertificateEmbeddedSct": {"chain": {"certificates": chain}}}),
        ))
    }

    fn certify(&self, mut identity: Identity, mut spki: Vec<u8>) -> Vec<u8> {
        let count = self.count.fetch_add(1, Ordering::Relaxed);
        let mut not_before = self.world.clock.now();
        if self.world.tell(Lie::CertificateForAnotherKey) {
            spki = self.stranger.spki();
        }
        if self.world.tell(Lie::CertificateForAnotherName) {
            identity.name = element(0x81, b"mallory@example.test");
        }
        if self.world.tell(Lie::CertificateOfAnotherIssuer) {
            "https://issuer.example.test".clone_into(&mut identity.issuer);
        }
        if self.world.tell(Lie::CertificateExpired) {
            not_before -= Duration::from_secs(1200);
        }
        let signer =
            if self.world.tell(Lie::CertificateByAnotherCa) { &self.impostor } else { &self.ca };
        let mut template = Template {
            subject: sequence(&[]),
            extensions: extensions(&identity, &spki, &signer.key.spki()),
            spki,
            not_before,
            not_after: not_before + self.world.life,
            serial: self.serial(count),
        };
        let precertificate = template.tbs(&signer.name);
        if !self.world.tell(Lie::CertificateWithoutSct) {
            template.extensions.push(self.sct((&precertificate, count), signer));
        }
        signer.sign(&template.tbs(&signer.name))
    }

    fn serial(&self, count: u64) -> [u8; 16] {
        let bytes =
            self.world.seed.bytes(&format!("serial {count} at {}", self.world.clock.seconds()));
        bytes.first_chunk().copied().unwrap_or_default()
    }

    fn sct(&self, (tbs, index): (&[u8], u64), signer: &Authority) -> Vec<u8> {
        let log = if self.world.tell(Lie::SctByUnknownLog) { &self.stranger } else { &self.ct };
        let other = [tbs, b"!"].concat();
        let tbs = if self.world.tell(Lie::SctOfAnotherCertificate) { &other } else { tbs };
        let now = self.world.clock.now();
        let past = now - Duration::from_secs(3600);
        let time = if self.world.tell(Lie::SctOfThePast) { past } else { now };
        sct(log, signer, tbs, (time, index))
    }
}

impl Service for Fulcio {
    fn name(&self) -> &'static str {
        "fulcio"
    }

    fn answer(&self, request: &Request) -> Reply {
        match (request.method.as_str(), request.path.as_str()) {
            ("POST", "/api/v2/signingCert") => {
                self.issue(request).unwrap_or_else(|refusal| failure(400, 3, refusal))
            }
            ("GET", "/api/v2/trustBundle") => {
                let chain =
                    [&self.ca, &self.root].map(|one| x509::pem("CERTIFICATE", &one.certificate));
                reply_json(200, &json!({"chains": [{"certificates": chain}]}))
            }
            ("GET", "/api/v2/configuration") => reply_json(200, &self.issuer.configuration()),
            ("GET", "/healthz") => reply_json(200, &json!({"status": "SERVING"})),
            (_, "/api/v2/signingCert" | "/api/v2/trustBundle" | "/api/v2/configuration") => {
                failure(501, 12, "Method Not Allowed")
            }
            _ => not_found(),
        }
    }
}

impl Identity {
    fn read(kind: Kind, claims: &Claims) -> Result<Self, Refusal> {
        const BAD: Refusal = "There was an error processing the identity token";
        let text =
            |name: &str| claims.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
        let iss = text("iss").ok_or(BAD)?;
        let subject = text("sub").ok_or(BAD)?;
        let mut more = vec![(24, subject.to_owned())];
        if kind == Kind::Github {
            let san = github(claims, &mut more).ok_or("a claim of the CI template is missing")?;
            let name = element(0x86, san.as_bytes());
            return Ok(Self { challenge: subject.to_owned(), name, issuer: iss.to_owned(), more });
        }
        let verified = match claims.get("email_verified") {
            Some(Value::Bool(verified)) => *verified,
            Some(Value::String(text)) => matches!(text.as_str(), "true" | "True"),
            None | Some(Value::Null | Value::Number(_) | Value::Array(_) | Value::Object(_)) => {
                false
            }
        };
        let email = text("email").filter(|email| verified && email.contains('@')).ok_or(BAD)?;
        // Dex speaks for the provider where the human logged in.
        let connector = claims.get("federated_claims").and_then(|all| all.get("connector_id"));
        let issuer = connector.and_then(Value::as_str).unwrap_or(iss).to_owned();
        Ok(Self {
            challenge: email.to_owned(),
            name: element(0x81, email.as_bytes()),
            issuer,
            more,
        })
    }
}

/// Fills the extensions of a GitHub workflow, and returns its URI.
fn github(claims: &Claims, more: &mut Vec<(u32, String)>) -> Option<String> {
    let text = |name: &str| claims.get(name).and_then(Value::as_str);
    let url = text("url").unwrap_or("https://github.com");
    let san = format!("{url}/{}", text("job_workflow_ref")?);
    let repository = format!("{url}/{}", text("repository")?);
    let (run, attempt) = (text("run_id")?, text("run_attempt")?);
    let rows = [
        (2, text("event_name")?.to_owned()),
        (3, text("sha")?.to_owned()),
        (4, text("workflow")?.to_owned()),
        (5, text("repository")?.to_owned()),
        (6, text("ref")?.to_owned()),
        (9, san.clone()),
        (10, text("job_workflow_sha")?.to_owned()),
        (11, text("runner_environment")?.to_owned()),
        (12, repository.clone()),
        (13, text("sha")?.to_owned()),
        (14, text("ref")?.to_owned()),
        (15, text("repository_id")?.to_owned()),
        (16, format!("{url}/{}", text("repository_owner")?)),
        (17, text("repository_owner_id")?.to_owned()),
        (18, format!("{url}/{}", text("workflow_ref")?)),
        (19, text("workflow_sha")?.to_owned()),
        (20, text("event_name")?.to_owned()),
        (21, format!("{repository}/actions/runs/{run}/attempts/{attempt}")),
        (22, text("repository_visibility")?.to_owned()),
        (23, text("environment").unwrap_or_default().to_owned()),
    ];
    more.extend(rows);
    Some(san)
}

/// The extension with the signed certificate timestamp (RFC 6962 3.2 and 3.3) of a TBS certificate that
/// has none yet. As logs of tiles do, it tells the index in an SCT extension (C2SP static-ct-api, "SCT
/// Extension").
pub(crate) fn sct(
    log: &EcKey,
    signer: &Authority,
    tbs: &[u8],
    (time, index): (SystemTime, u64),
) -> Vec<u8> {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let time = u64::try_from(since.as_millis()).unwrap_or(0).to_be_bytes();
    let issuer = sha256(&[&signer.key.spki()]);
    let length = tbs.len().to_be_bytes();
    let length = length.last_chunk::<3>().copied().unwrap_or_default();
    let index = index.to_be_bytes();
    let index = index.last_chunk::<5>().copied().unwrap_or_default();
    // leaf_index, its length, 40 bits
    let extensions = prefixed(&[&[0, 0, 5], &index[..]].concat());
    // version 1, certificate_timestamp, time, precert_entry, issuer, TBS, extensions
    let signed = [&[0, 0], &time[..], &[0, 1], &issuer, &length, tbs];
    let signature = log.sign(&[&signed.concat()[..], &extensions].concat());
    // version, log, time, extensions, SHA-256 with ECDSA
    let sct = [&[0], &log.id()[..], &time, &extensions, &[4, 3], &prefixed(&signature)].concat();
    let list = element(der::OCTET_STRING, &prefixed(&prefixed(&sct)));
    extension(&[1, 3, 6, 1, 4, 1, 11129, 2, 4, 2], false, &list)
}

/// Name constraints (RFC 5280 4.2.1.10) that permit the host `other.test`, in addresses and in URIs.
fn other_names() -> Vec<u8> {
    let subtree = |kind| sequence(&[&element(kind, b"other.test")]);
    let permitted = element(0xa0, &[subtree(0x81), subtree(0x86)].concat());
    extension(&[2, 5, 29, 30], true, &sequence(&[&permitted]))
}

/// The extensions of a leaf, in Fulcio's order, without the SCT.
fn extensions(identity: &Identity, spki: &[u8], issuer_spki: &[u8]) -> Vec<Vec<u8>> {
    let mut all = vec![
        extension(&[2, 5, 29, 15], true, &[3, 2, 7, 0x80]),
        x509::purposes(false, x509::CODE_SIGNING),
        x509::key_id(spki),
        x509::authority_key_id(issuer_spki),
        extension(&[2, 5, 29, 17], true, &sequence(&[&identity.name])),
    ];
    let issuer = [(1, identity.issuer.clone()), (8, identity.issuer.clone())];
    let mut rows: Vec<_> = identity.more.iter().cloned().chain(issuer).collect();
    rows.sort();
    for (last, text) in rows.iter().filter(|(_, text)| !text.is_empty()) {
        let value = match *last {
            ..8 => text.as_bytes().to_vec(),
            8.. => element(der::UTF8_STRING, text.as_bytes()),
        };
        all.push(extension(&[1, 3, 6, 1, 4, 1, 57264, 1, *last], false, &value));
    }
    all
}

/// Some(()) when `proof` is the key's signature over `challenge`.
fn proven(spki: &[u8], challenge: &[u8], proof: Option<Vec<u8>>) -> Option<()> {
    PublicKey::from_spki(spki)?.verifies(challenge, &proof?).then_some(())
}

/// The key of a PKCS#10 request (base64 of PEM) that it signed itself.
fn key_of_request(csr: &str) -> Option<Vec<u8>> {
    let der = x509::from_pem("CERTIFICATE REQUEST", &String::from_utf8(unb64(csr)?).ok()?)?;
    let mut request = Reader::new(&der).enter(der::SEQUENCE)?;
    let info = request.expect(der::SEQUENCE)?;
    request.expect(der::SEQUENCE)?;
    let signature = request.expect(der::BIT_STRING)?.content.strip_prefix(&[0])?;
    let mut inside = Reader::new(info.content);
    inside.expect(der::INTEGER)?;
    inside.expect(der::SEQUENCE)?;
    let spki = inside.expect(der::SEQUENCE)?.whole;
    PublicKey::from_spki(spki)?.verifies(info.whole, signature).then(|| spki.to_vec())
}

/// `bytes` after their length in 16 bits (RFC 8446 section 3.4).
fn prefixed(bytes: &[u8]) -> Vec<u8> {
    [&u16::try_from(bytes.len()).unwrap_or(u16::MAX).to_be_bytes(), bytes].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Clock;
    use crate::keys::Seed;
    use crate::lie::Lies;
    use crate::oidc::Times;

    /// A request that openssl made.
    const REQUEST: &str = "MIHHMG4CAQAwDDEKMAgGA1UEAwwBeDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABMi5HgD2\
        nFYEwfZ4dLGRGg/fus6X7ssJwvDOYkedEZSQFjXJJP+jIDLvGKSavcesBClvGB/hEIhmdISs4WY22C+gADAKBggqhkjO\
        PQQDAgNJADBGAiEAifc72Fq6ZOCCc3Vrj1Je1Du6gzLwmSrqeQsKxWc8EnoCIQCsp1W1Smd9Fd3PiiSmAxsAUjp0Qn7m\
        PZggrq7DxVgb5A==";

    #[test]
    fn takes_the_key_of_a_request_that_signed_itself() {
        let der = unb64(REQUEST).unwrap();
        let request = |der: &[u8]| crate::b64(x509::pem("CERTIFICATE REQUEST", der).as_bytes());
        let spki = key_of_request(&request(&der)).unwrap();
        assert_eq!(spki.len(), 91);
        let mut changed = der.clone();
        *changed.get_mut(12).unwrap() ^= 1;
        assert_eq!(key_of_request(&request(&changed)), None);
        assert_eq!(key_of_request(&request(der.get(..60).unwrap())), None);
    }

    #[test]
    fn one_seed_and_time_give_one_certificate() {
        let issue = |seed| {
            let time = SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_000_000);
            let (clock, lies) = (Clock::fixed(time), Lies::default());
            let issuer = Issuer::new("http://127.0.0.1:1".to_owned(), clock.clone()).unwrap();
            let times = Times { audience: "sigstore", ttl: 600 };
            let token = issuer.mint("github", Claims::new(), times).unwrap();
            let (kind, claims) = issuer.verify(&token).unwrap();
            let world = World { seed: Seed(seed), clock, lies, life: Duration::from_secs(600) };
            let fulcio = Fulcio::new(&world, issuer).unwrap();
            let spki = fulcio.stranger.spki();
            (fulcio.certify(Identity::read(kind, &claims).unwrap(), spki), token)
        };
        assert_eq!(issue(1), issue(1));
        assert_ne!(issue(1).0, issue(2).0);
    }
}
