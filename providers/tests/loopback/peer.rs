// SPDX-License-Identifier: Apache-2.0
//! A small HTTP/1.1 server that keeps what it was asked, and answers as a test says.
//!
//! As a proxy it answers `CONNECT` for every name with a certificate of its own CA, so that public
//! names are served on loopback.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use p256::ecdsa::{DerSignature, SigningKey};
use p256::pkcs8::{EncodePrivateKey, EncodePublicKey};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use x509_cert::builder::profile::BuilderProfile;
use x509_cert::builder::{Builder, CertificateBuilder};
use x509_cert::certificate::TbsCertificate;
use x509_cert::der::asn1::Ia5String;
use x509_cert::der::{Decode, Encode, EncodePem};
use x509_cert::ext::pkix::SubjectAltName;
use x509_cert::ext::pkix::name::GeneralName;
use x509_cert::ext::{Extension, ToExtension};
use x509_cert::name::Name;
use x509_cert::serial_number::SerialNumber;
use x509_cert::spki::{SubjectPublicKeyInfo, SubjectPublicKeyInfoRef};
use x509_cert::time::Validity;

/// A request, as it came in.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) target: String,
    headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Request {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }
}

/// What is answered.
pub(crate) struct Reply {
    status: u16,
    headers: String,
    body: String,
    delay: Duration,
}

impl Reply {
    pub(crate) fn new(status: u16, body: &str) -> Self {
        Self { status, headers: String::new(), body: body.to_owned(), delay: Duration::ZERO }
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push_str(&format!("{name}: {value}\r\n"));
        self
    }

    pub(crate) fn late(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }
}

type Script = dyn Fn(usize, &Request) -> Reply + Send + Sync;

/// The server; it ends with the runtime of the test.
pub(crate) struct Peer {
    pub(crate) address: SocketAddr,
    requests: Arc<Mutex<Vec<Request>>>,
    ca_file: PathBuf,
}

impl Peer {
    /// `script` is given the number of the request, from 0, and the request.
    pub(crate) async fn start(
        script: impl Fn(usize, &Request) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let requests = Arc::<Mutex<Vec<Request>>>::default();
        let (tls, ca) = certificate();
        let ca_file = std::env::temp_dir().join(format!("peer-{}-ca.pem", address.port()));
        std::fs::write(&ca_file, ca).unwrap();
        let script: Arc<Script> = Arc::new(script);
        let seen = Arc::clone(&requests);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (tls, script, seen) = (tls.clone(), Arc::clone(&script), Arc::clone(&seen));
                tokio::spawn(async move { connection(stream, tls, &*script, &seen).await });
            }
        });
        Self { address, requests, ca_file }
    }

    pub(crate) fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// The variables that make it the proxy and the CA of a client.
    pub(crate) fn as_proxy(&self) -> [(String, String); 2] {
        let ca = self.ca_file.to_str().unwrap().to_owned();
        [("HTTPS_PROXY".to_owned(), self.url("")), ("SSL_CERT_FILE".to_owned(), ca)]
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _gone = std::fs::remove_file(&self.ca_file);
    }
}

async fn connection(
    mut stream: TcpStream,
    tls: TlsAcceptor,
    script: &Script,
    seen: &Mutex<Vec<Request>>,
) {
    let Some(request) = read(&mut stream).await else {
        return;
    };
    if request.method != "CONNECT" {
        return answer(&mut stream, request, script, seen).await;
    }
    let established = b"HTTP/1.1 200 OK\r\n\r\n";
    if stream.write_all(established).await.is_err() {
        return;
    }
    let Ok(mut inner) = tls.accept(stream).await else {
        return;
    };
    if let Some(mut request) = read(&mut inner).await {
        let name = request.header("host").unwrap_or_default();
        request.target = format!("https://{name}{}", request.target);
        answer(&mut inner, request, script, seen).await;
    }
}

async fn answer(
    stream: &mut (impl AsyncWrite + Unpin),
    request: Request,
    script: &Script,
    seen: &Mutex<Vec<Request>>,
) {
    let number = {
        let mut seen = seen.lock().unwrap();
        seen.push(request.clone());
        seen.len() - 1
    };
    let reply = script(number, &request);
    tokio::time::sleep(reply.delay).await;
    let text = format!(
        "HTTP/1.1 {} Status\r\n{}Content-Length: {}\r\nConnection: close\r\n\r\n{}",
        reply.status,
        reply.headers,
        reply.body.len(),
        reply.body
    );
    let _closed = stream.write_all(text.as_bytes()).await;
    let _closed = stream.shutdown().await;
}

async fn read(stream: &mut (impl AsyncRead + Unpin)) -> Option<Request> {
    let mut bytes = Vec::new();
    let head = loop {
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break end;
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    };
    let text = String::from_utf8(bytes[..head].to_vec()).ok()?;
    let mut lines = text.lines();
    let mut first = lines.next()?.split(' ');
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    let mut request = Request {
        method: first.next()?.to_owned(),
        target: first.next()?.to_owned(),
        headers,
        body: String::new(),
    };
    let length = request.header("content-length").unwrap_or("0");
    let length: usize = length.parse().ok()?;
    while bytes.len() < head + 4 + length {
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
    request.body = String::from_utf8(bytes[head + 4..].to_vec()).ok()?;
    Some(request)
}

/// One certificate for the public names, signed by itself: a client that trusts it needs no CA.
fn certificate() -> (TlsAcceptor, String) {
    let key = SigningKey::from_slice(&[7; 32]).unwrap();
    let public = key.verifying_key().to_public_key_der().unwrap();
    let public = SubjectPublicKeyInfo::from_der(public.as_bytes()).unwrap();
    let validity = Validity::from_now(Duration::from_secs(3600)).unwrap();
    let serial = SerialNumber::from(1_u32);
    let builder = CertificateBuilder::new(PublicNames, serial, validity, public).unwrap();
    let certificate = builder.build::<_, DerSignature>(&key).unwrap();
    let der = CertificateDer::from(certificate.to_der().unwrap());
    let key = PrivateKeyDer::try_from(key.to_pkcs8_der().unwrap().as_bytes().to_vec()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![der], key)
        .unwrap();
    let pem = certificate.to_pem(Default::default()).unwrap();
    (TlsAcceptor::from(Arc::new(config)), pem)
}

struct PublicNames;

impl BuilderProfile for PublicNames {
    fn get_issuer(&self, subject: &Name) -> Name {
        subject.clone()
    }

    fn get_subject(&self) -> Name {
        "CN=peer".parse().unwrap()
    }

    fn build_extensions(
        &self,
        _key: SubjectPublicKeyInfoRef<'_>,
        _issuer_key: SubjectPublicKeyInfoRef<'_>,
        tbs: &TbsCertificate,
    ) -> x509_cert::builder::Result<Vec<Extension>> {
        let names = ["iamcredentials.googleapis.com", "oauth2.googleapis.com"]
            .map(|name| GeneralName::DnsName(Ia5String::new(name).unwrap()));
        let names = SubjectAltName(names.to_vec());
        Ok(vec![names.to_extension(tbs.subject(), &[])?])
    }
}
