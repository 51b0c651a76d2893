// SPDX-License-Identifier: Apache-2.0
//! A forward proxy that answers for the public names itself, with certificates of the sandbox's CA, and
//! refuses every other name. A client can run with its public defaults, and the journal shows which
//! hosts it contacted. The proxy speaks plain HTTP and, on the same port, TLS.

use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio_rustls::rustls::{ServerConfig, crypto::aws_lc_rs};

use crate::http::{Journal, Record, Service, connection};
use crate::x509::{self, Authority, Role};
use crate::{Error, World};

/// The names that are answered for, and the service behind each. `*` stands for one label.
pub(crate) const NAMES: &[(&str, &str)] = &[
    ("fulcio.sigstore.dev", "fulcio"),
    ("rekor.sigstore.dev", "rekor"),
    ("log2025-1.rekor.sigstore.dev", "rekor2"),
    ("timestamp.sigstore.dev", "tsa"),
    ("oauth2.sigstore.dev", "oidc"),
    ("fulcio.sigstage.dev", "fulcio"),
    ("rekor.sigstage.dev", "rekor"),
    ("timestamp.sigstage.dev", "tsa"),
    ("accounts.google.com", "oidc"),
    ("iamcredentials.googleapis.com", "oidc"),
    ("oauth2.googleapis.com", "oidc"),
    ("sts.googleapis.com", "oidc"),
    ("token.actions.githubusercontent.com", "oidc"),
    ("*.actions.githubusercontent.com", "oidc"),
];

/// The first byte of a handshake of TLS (RFC 8446 5.1).
const HANDSHAKE: u8 = 22;

/// The proxy.
pub(crate) struct Proxy {
    tls: TlsAcceptor,
    services: Vec<Arc<dyn Service>>,
    journal: Arc<Journal>,
}

impl Proxy {
    /// A proxy before `services`, whose certificate is by `ca`.
    pub(crate) fn new(
        world: &World,
        ca: &Authority,
        services: Vec<Arc<dyn Service>>,
        journal: Arc<Journal>,
    ) -> Result<Self, Error> {
        let names: Vec<&str> = NAMES.iter().map(|(name, _)| *name).collect();
        let leaf = x509::authority(world, "sandbox-tls", &Role::Server(&names), Some(ca))?;
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(leaf.key.pkcs8()));
        let provider = Arc::new(aws_lc_rs::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .and_then(|config| {
                let chain = vec![CertificateDer::from(leaf.certificate)];
                config.with_no_client_auth().with_single_cert(chain, key)
            })
            .map_err(Error::key)?;
        Ok(Self { tls: TlsAcceptor::from(Arc::new(config)), services, journal })
    }

    /// Answers every connection of `listener`, for ever.
    pub(crate) async fn listen(self: Arc<Self>, listener: TcpListener) {
        loop {
            let Ok((stream, _)) = listener.accept().await else {
                tokio::time::sleep(std::time::Duration::from_millis(10)).await;
                continue;
            };
            let _ = stream.set_nodelay(true);
            let proxy = Arc::clone(&self);
            // Ignore clients that disconnect or do not trust our CA.
            tokio::spawn(async move { drop(proxy.serve(stream).await) });
        }
    }

    async fn serve(&self, stream: TcpStream) -> std::io::Result<()> {
        let mut first = [0];
        stream.peek(&mut first).await?;
        if first == [HANDSHAKE] {
            return self.tunnel(self.tls.accept(stream).await?).await;
        }
        self.tunnel(stream).await
    }

    async fn tunnel(
        &self,
        mut stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
    ) -> std::io::Result<()> {
        let (method, path) = first_line(&mut stream).await?;
        let host = path.rsplit_once(':').map_or("", |(host, _)| host);
        let service = (method == "CONNECT").then(|| self.service(host)).flatten();
        let status = if service.is_some() { 200 } else { 502 };
        self.journal.note(Record { service: "proxy", method, path, status });
        let Some(service) = service else {
            let refusal = "HTTP/1.1 502 the sandbox does not answer for this name\r\n\
                           content-length: 0\r\nconnection: close\r\n\r\n";
            return stream.write_all(refusal.as_bytes()).await;
        };
        stream.write_all(b"HTTP/1.1 200 ok\r\n\r\n").await?;
        let stream = self.tls.accept(stream).await?;
        connection(stream, service, Arc::clone(&self.journal)).await;
        Ok(())
    }

    fn service(&self, host: &str) -> Option<Arc<dyn Service>> {
        let (_, service) = NAMES.iter().find(|(name, _)| match name.strip_prefix("*.") {
            Some(parent) => host.split_once('.').is_some_and(|(_, rest)| rest == parent),
            None => host == *name,
        })?;
        self.services.iter().find(|one| one.name() == *service).cloned()
    }
}

/// Method and target of a request; its head, of at most 8 KiB, is read to the end and not a byte
/// further.
async fn first_line(stream: &mut (impl AsyncRead + Unpin)) -> std::io::Result<(String, String)> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") && head.len() < 8192 {
        head.push(stream.read_u8().await?);
    }
    let head = String::from_utf8_lossy(&head);
    let mut words = head.lines().next().unwrap_or_default().split(' ').map(str::to_owned);
    Ok((words.next().unwrap_or_default(), words.next().unwrap_or_default()))
}
