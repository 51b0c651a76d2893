// SPDX-License-Identifier: Apache-2.0
//! Creates the services and serves them from a thread.

use std::net::{Ipv4Addr, TcpListener};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::oneshot;

use crate::fulcio::Fulcio;
use crate::http::{self, Journal, Service};
use crate::oidc::Issuer;
use crate::proxy::Proxy;
use crate::registry::{Flavour, Registry};
use crate::rekor1::Rekor1;
use crate::rekor2::Rekor2;
use crate::tsa::Tsa;
use crate::x509::{self, Authority, Role};
use crate::{Error, Urls, World};

/// The services, and the CA of the proxy.
pub(crate) struct Services {
    pub(crate) issuer: Arc<Issuer>,
    pub(crate) fulcio: Arc<Fulcio>,
    pub(crate) rekor: Arc<Rekor1>,
    pub(crate) rekor2: Arc<Rekor2>,
    pub(crate) tsa: Arc<Tsa>,
    pub(crate) registries: [Arc<Registry>; 3],
    pub(crate) tls: Authority,
}

impl Services {
    pub(crate) fn new(world: &World, urls: &Urls) -> Result<Self, Error> {
        let issuer = Issuer::new(urls.oidc.clone(), world.clock.clone())?;
        Ok(Self {
            fulcio: Arc::new(Fulcio::new(world, Arc::clone(&issuer))?),
            issuer,
            rekor: Arc::new(Rekor1::new(world)?),
            rekor2: Arc::new(Rekor2::new(world)?),
            tsa: Arc::new(Tsa::new(world)?),
            registries: registries(urls, world),
            tls: x509::authority(world, "sandbox-tls-ca", &Role::Ca(None), None)?,
        })
    }

    /// In the order of the ports.
    pub(crate) fn all(&self) -> Vec<Arc<dyn Service>> {
        let [plain, referrers, login] = self.registries.clone();
        let (issuer, fulcio, rekor) =
            (self.issuer.clone(), self.fulcio.clone(), self.rekor.clone());
        let (rekor2, tsa) = (self.rekor2.clone(), self.tsa.clone());
        vec![issuer, fulcio, rekor, rekor2, tsa, plain, referrers, login]
    }
}

/// Nine listeners: in a row from `first`, or anywhere.
pub(crate) fn bind(first: Option<u16>) -> Result<([u16; 9], Vec<TcpListener>), Error> {
    let mut ports = [0; 9];
    let mut listeners = Vec::new();
    for (offset, port) in (0..).zip(&mut ports) {
        let wanted = first.map_or(0, |first| first.saturating_add(offset));
        let bound = TcpListener::bind((Ipv4Addr::LOCALHOST, wanted)).and_then(|listener| {
            listener.set_nonblocking(true)?;
            Ok((listener.local_addr()?.port(), listener))
        });
        let (found, listener) = bound.map_err(|source| Error::Bind { port: wanted, source })?;
        *port = found;
        listeners.push(listener);
    }
    Ok((ports, listeners))
}

fn registries(urls: &Urls, world: &World) -> [Arc<Registry>; 3] {
    let plain = Flavour { name: "registry", referrers: false, login: false };
    let referrers = Flavour { name: "registry_referrers", referrers: true, login: false };
    let login = Flavour { name: "registry_login", referrers: true, login: true };
    [(plain, &urls.registry), (referrers, &urls.registry_referrers), (login, &urls.registry_login)]
        .map(|(flavour, address)| Arc::new(Registry::new(flavour, address.clone(), world)))
}

/// What the thread runs: the services in the order of their listeners, the proxy last.
pub(crate) struct Serve {
    pub(crate) listeners: Vec<TcpListener>,
    pub(crate) services: Vec<Arc<dyn Service>>,
    pub(crate) proxy: Arc<Proxy>,
    pub(crate) journal: Arc<Journal>,
}

impl Serve {
    pub(crate) fn run(self, stopped: oneshot::Receiver<()>) -> Result<JoinHandle<()>, Error> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(Error::Thread)?;
        let listeners = {
            let _inside = runtime.enter();
            let listeners = self.listeners.into_iter().map(tokio::net::TcpListener::from_std);
            listeners.collect::<Result<Vec<_>, _>>().map_err(Error::Thread)?
        };
        let (services, proxy, journal) = (self.services, self.proxy, self.journal);
        let body = move || {
            let mut listeners = listeners.into_iter();
            for (service, listener) in services.into_iter().zip(&mut listeners) {
                runtime.spawn(http::listen(listener, service, Arc::clone(&journal)));
            }
            listeners.for_each(|listener| drop(runtime.spawn(Arc::clone(&proxy).listen(listener))));
            // Either the sandbox was dropped, or it never will be asked again.
            let _ = runtime.block_on(stopped);
            runtime.shutdown_timeout(Duration::from_millis(100));
        };
        std::thread::Builder::new().name("sandbox".to_owned()).spawn(body).map_err(Error::Thread)
    }
}
