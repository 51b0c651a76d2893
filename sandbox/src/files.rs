// SPDX-License-Identifier: Apache-2.0
//! What a client needs to know, as files: trusted root, signing configs, `env.sh` with the names of
//! the real stack, so that a test can take either.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::SystemTime;

use serde_json::{Map, Value, json};

use crate::keys;
use crate::login::LOGIN;
use crate::oidc::{ACCOUNT, IDENTITY, Issuer, Times};
use crate::rekor2::ORIGIN;
use crate::services::Services;
use crate::x509::{self, Authority, PAST};
use crate::{Clock, Error, Urls, b64, file};

/// The file with the `host:port` of the registry that [`crate::push`] sends images to.
pub(crate) const REGISTRY: &str = "registry.address";

/// The files' contents.
pub(crate) struct Files {
    pub(crate) trusted_root: String,
    signing_configs: [String; 2],
    client_trust_configs: [String; 2],
    service_account: String,
    tls_ca: String,
}

impl Files {
    pub(crate) fn new(urls: &Urls, services: &Services, now: SystemTime) -> Self {
        let start = humantime::format_rfc3339_seconds(now - PAST).to_string();
        let account = json!({"type": "service_account", "project_id": "demo",
            "private_key_id": "sandbox-sa", "private_key": x509::pem("PRIVATE KEY", keys::ACCOUNT),
            "client_email": ACCOUNT, "client_id": "1099",
            "token_uri": "https://oauth2.googleapis.com/token", "universe_domain": "googleapis.com"});
        let trusted_root = trusted_root(urls, services, &start);
        let signing_configs = [(1, &urls.rekor), (2, &urls.rekor2)]
            .map(|(version, log)| signing_config(urls, log, version, &start));
        let client_trust_configs = signing_configs.each_ref().map(|config| {
            let kind = "application/vnd.dev.sigstore.clienttrustconfig.v0.1+json";
            pretty(
                &json!({"mediaType": kind, "trustedRoot": trusted_root, "signingConfig": config}),
            )
        });
        Self {
            trusted_root: pretty(&trusted_root),
            signing_configs: signing_configs.each_ref().map(pretty),
            client_trust_configs,
            service_account: pretty(&account),
            tls_ca: x509::pem("CERTIFICATE", &services.tls.certificate),
        }
    }

    /// Writes them into `dir`, which is made where it is missing.
    pub(crate) fn write(&self, dir: &Path, urls: &Urls) -> Result<(), Error> {
        let env = env(urls, Some(dir)).into_iter();
        let env: String = env.map(|(name, value)| format!("export {name}='{value}'\n")).collect();
        let [v1, v2] = &self.signing_configs;
        let [client1, client2] = &self.client_trust_configs;
        let login = json!({"auths": {&urls.registry_login: {"auth": b64(LOGIN.as_bytes())}}});
        let docker = dir.join("docker");
        fs::create_dir_all(&docker).map_err(file(&docker))?;
        for (name, content) in [
            ("trusted_root.json", self.trusted_root.as_bytes()),
            ("signing_config.v1.json", v1.as_bytes()),
            ("signing_config.v2.json", v2.as_bytes()),
            ("client_trust_config.v1.json", client1.as_bytes()),
            ("client_trust_config.v2.json", client2.as_bytes()),
            ("service_account.json", self.service_account.as_bytes()),
            ("tls-ca.pem", self.tls_ca.as_bytes()),
            ("docker/config.json", login.to_string().as_bytes()),
            ("oidc.url", urls.oidc.as_bytes()),
            (REGISTRY, urls.registry_referrers.as_bytes()),
            ("env.sh", env.as_bytes()),
        ] {
            let path = dir.join(name);
            private(&path).and_then(|mut open| open.write_all(content)).map_err(file(&path))?;
        }
        Ok(())
    }
}

/// A new file, or an old one made empty, that only its owner reads: some hold keys.
fn private(path: &Path) -> std::io::Result<File> {
    OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)
}

/// The journal's file: one line of JSON for each request.
pub(crate) fn journal(dir: &Path) -> Result<File, Error> {
    let path = dir.join("journal.jsonl");
    private(&path).map_err(file(&path))
}

/// The variables of `env.sh`.
pub(crate) fn env(urls: &Urls, dir: Option<&Path>) -> Vec<(&'static str, String)> {
    let machine = urls.oidc.trim_start_matches("http://");
    let mut all = vec![
        ("OIDC_URL", urls.oidc.clone()),
        ("FULCIO_URL", urls.fulcio.clone()),
        ("REKOR_URL", urls.rekor.clone()),
        ("REKOR2_URL", urls.rekor2.clone()),
        ("TSA_URL", urls.tsa.clone()),
        ("REGISTRY", urls.registry.clone()),
        ("REGISTRY_REFERRERS", urls.registry_referrers.clone()),
        ("REGISTRY_LOGIN", urls.registry_login.clone()),
        ("GITHUB_TOKEN_URL", format!("{}/actions/token?api-version=2.0", urls.oidc)),
        ("GCE_METADATA", machine.to_owned()),
        ("PROXY", urls.proxy.clone()),
        ("CERTIFICATE_IDENTITY", IDENTITY.to_owned()),
        ("CERTIFICATE_OIDC_ISSUER", format!("{}/github", urls.oidc)),
    ];
    for (name, of) in [
        ("TRUSTED_ROOT", "trusted_root.json"),
        ("SIGNING_CONFIG_V1", "signing_config.v1.json"),
        ("SIGNING_CONFIG_V2", "signing_config.v2.json"),
        ("CLIENT_TRUST_CONFIG_V1", "client_trust_config.v1.json"),
        ("CLIENT_TRUST_CONFIG_V2", "client_trust_config.v2.json"),
        ("SERVICE_ACCOUNT", "service_account.json"),
        ("PROXY_CA", "tls-ca.pem"),
        ("REGISTRY_LOGIN_CONFIG", "docker"),
        ("AMBISIGN_TRUSTED_ROOT", "trusted_root.json"),
        ("AMBISIGN_SIGNING_CONFIG", "signing_config.v1.json"),
    ] {
        all.extend(dir.map(|dir| (name, dir.join(of).display().to_string())));
    }
    all.extend(dir.map(|dir| ("SANDBOX", dir.display().to_string())));
    all
}

/// A token of a sandbox that runs in another process, with the address in its folder; see
/// [`crate::Sandbox::token`]. `ttl` is in seconds.
///
/// # Errors
/// The folder does not belong to a sandbox, or the sandbox has no such issuer.
pub fn mint(
    dir: &Path,
    issuer: &str,
    changes: Map<String, Value>,
    audience: &str,
    ttl: i64,
) -> Result<String, Error> {
    let read = |name: &str| fs::read(dir.join(name)).map_err(file(&dir.join(name)));
    let base = String::from_utf8(read("oidc.url")?).map_err(Error::key)?;
    Issuer::new(base, Clock::system())?.mint(issuer, changes, Times { audience, ttl })
}

fn trusted_root(urls: &Urls, services: &Services, start: &str) -> Value {
    let log = |base: &str, spki: &[u8], details: &str, id: &[u8]| {
        json!({"baseUrl": base, "hashAlgorithm": "SHA2_256", "logId": {"keyId": b64(id)},
            "publicKey": {"rawBytes": b64(spki), "keyDetails": details, "validFor": {"start": start}}})
    };
    let authority = |name: &str, uri: &str, chain: [&Authority; 2]| {
        let chain = chain.map(|one| json!({"rawBytes": b64(&one.certificate)}));
        json!({"subject": {"organization": "sandbox.test", "commonName": name}, "uri": uri,
            "certChain": {"certificates": chain}, "validFor": {"start": start}})
    };
    let (fulcio, tsa, ec) = (&services.fulcio, &services.tsa, "PKIX_ECDSA_P256_SHA_256");
    let (rekor, rekor2, ct) = (&services.rekor.key, &services.rekor2, &fulcio.ct);
    json!({
        "mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
        "tlogs": [
            log(&urls.rekor, &rekor.spki(), ec, &rekor.id()),
            log(&format!("https://{ORIGIN}"), &rekor2.spki(), "PKIX_ED25519", &rekor2.id())],
        "ctlogs": [log("https://ct.sandbox.test", &ct.spki(), ec, &ct.id())],
        "certificateAuthorities": [authority("sandbox-intermediate", &urls.fulcio, [&fulcio.ca, &fulcio.root])],
        "timestampAuthorities": [authority("sandbox-tsa", &urls.tsa, [&tsa.leaf, &tsa.root])],
    })
}

fn signing_config(urls: &Urls, log: &str, version: u8, start: &str) -> Value {
    let service = |url: &str, version: u8| json!([{"url": url, "majorApiVersion": version, "validFor": {"start": start}, "operator": "sandbox.test"}]);
    json!({
        "mediaType": "application/vnd.dev.sigstore.signingconfig.v0.2+json",
        "caUrls": service(&urls.fulcio, 1), "oidcUrls": service(&format!("{}/email", urls.oidc), 1),
        "rekorTlogUrls": service(log, version), "tsaUrls": service(&urls.tsa, 1),
        "rekorTlogConfig": {"selector": "ANY"}, "tsaConfig": {"selector": "ANY"},
    })
}

fn pretty(document: &Value) -> String {
    format!("{document:#}\n")
}
