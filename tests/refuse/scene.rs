// SPDX-License-Identifier: Apache-2.0
//! One run of the program, with a proxy before every service that it talks to, and what it left.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tempfile::TempDir;

use crate::common::fault::{At, Fault, FaultProxy, Rule, Turn};
use crate::common::{Log, Program, Registry, Service, Stack, Visit, signing_config_with};
use crate::place::fresh_image;
use crate::played::{GRACE, Played};

/// Services to run against, by the names of their variables.
pub(crate) trait World: Sync {
    /// A variable of `env.sh`.
    fn var(&self, name: &str) -> &str;
}

impl World for Stack {
    fn var(&self, name: &str) -> &str {
        Self::var(self, name)
    }
}

impl World for Visit {
    fn var(&self, name: &str) -> &str {
        Stack::var(self, name)
    }
}

/// What the stack's GitHub endpoint wants to see before it gives a token.
pub(crate) const REQUEST_TOKEN: &str = "realstack-request-token";
/// A shorter text is found by chance.
const SHORTEST_CANARY: usize = 8;

/// Somebody on the other side of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Peer {
    Fulcio,
    Registry,
    Rekor,
    /// GitHub's token endpoint.
    Token,
    Tsa,
}

impl Peer {
    pub(crate) const ALL: [Self; 5] =
        [Self::Fulcio, Self::Registry, Self::Rekor, Self::Token, Self::Tsa];
}

/// A run that is being prepared.
pub(crate) struct Scene {
    log: Log,
    registry: Registry,
    rules: Vec<(Peer, Rule)>,
    elsewhere: Vec<(Peer, String)>,
    env: Vec<(String, String)>,
    unset: Vec<String>,
    args: Vec<String>,
    canaries: Vec<String>,
    timeout: Duration,
    trust: [Option<PathBuf>; 2],
    image: Named,
    login: Option<Login>,
}

/// A configuration of Docker, and the helper `docker-credential-test` that it may name.
struct Login {
    config: String,
    helper: Option<String>,
}

impl Login {
    fn write(&self, folder: &Path, registry: &str) {
        let config = self.config.replace("HOST", registry);
        std::fs::write(folder.join("config.json"), config).unwrap();
        if let Some(helper) = &self.helper {
            let path = folder.join("docker-credential-test");
            std::fs::write(&path, format!("#!/bin/sh\n{helper}\n")).unwrap();
            std::fs::set_permissions(&path, Permissions::from_mode(0o755)).unwrap();
        }
    }
}

/// How the image is named.
enum Named {
    ByDigest,
    ByTag,
    /// Not on the command line.
    Elsewhere,
    /// `HOST` stands for the registry, `IMAGE` for the repository.
    Otherwise(String),
}

impl Scene {
    /// Everything is well.
    pub(crate) fn new(log: Log, registry: Registry) -> Self {
        Self {
            log,
            registry,
            rules: Vec::new(),
            elsewhere: Vec::new(),
            env: Vec::new(),
            unset: Vec::new(),
            args: Vec::new(),
            canaries: vec![REQUEST_TOKEN.to_owned()],
            timeout: Duration::from_secs(60),
            trust: [None, None],
            image: Named::ByDigest,
            login: None,
        }
    }

    /// `peer` does this to every request.
    pub(crate) fn always(self, peer: Peer, fault: Fault) -> Self {
        let rule = Rule { method: None, at: At::Any, turn: Turn::Every, fault };
        self.rule(peer, rule)
    }

    /// One more row of the table of `peer`.
    pub(crate) fn rule(mut self, peer: Peer, rule: Rule) -> Self {
        self.rules.push((peer, rule));
        self
    }

    /// Behind the proxy of `peer` is another server, at `url`.
    pub(crate) fn elsewhere(mut self, peer: Peer, url: &str) -> Self {
        self.elsewhere.push((peer, url.to_owned()));
        self
    }

    /// A variable; one of GitHub's is replaced.
    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.env.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The variable `name` is not set, also if the scene would set it.
    pub(crate) fn without(mut self, name: &str) -> Self {
        self.unset.push(name.to_owned());
        self
    }

    /// The token comes from `SIGSTORE_ID_TOKEN`, and is a secret.
    pub(crate) fn token(self, token: &str) -> Self {
        self.env("SIGSTORE_ID_TOKEN", token).canary(token)
    }

    /// One more secret: the whole of it, and each of its parts that is not found by chance.
    pub(crate) fn canary(mut self, canary: &str) -> Self {
        let whole = canary.trim();
        let last = whole.rsplit('.').next().unwrap_or_default();
        let whole = Some(whole).filter(|_| last.len() >= SHORTEST_CANARY);
        let parts = canary.split('.').map(str::trim);
        let parts = parts.filter(|part| part.len() >= SHORTEST_CANARY);
        self.canaries.extend(parts.chain(whole).map(str::to_owned));
        self
    }

    /// One more argument.
    pub(crate) fn arg(mut self, arg: &str) -> Self {
        self.args.push(arg.to_owned());
        self
    }

    /// The time of the run.
    pub(crate) fn seconds(mut self, seconds: u64) -> Self {
        self.timeout = Duration::from_secs(seconds);
        self
    }

    /// Another trusted root.
    pub(crate) fn trusted_root(mut self, path: &Path) -> Self {
        self.trust[0] = Some(path.to_owned());
        self
    }

    /// Another signing config, as it is: without the proxies.
    pub(crate) fn signing_config(mut self, path: &Path) -> Self {
        self.trust[1] = Some(path.to_owned());
        self
    }

    /// The image is named by its tag.
    pub(crate) fn by_tag(mut self) -> Self {
        self.image = Named::ByTag;
        self
    }

    /// The image is named like this: `HOST` stands for the registry, `IMAGE` for the repository.
    pub(crate) fn named(mut self, name: &str) -> Self {
        self.image = Named::Otherwise(name.to_owned());
        self
    }

    /// No image is named on the command line.
    pub(crate) fn unnamed(mut self) -> Self {
        self.image = Named::Elsewhere;
        self
    }

    /// The login of Docker: its `config.json`, in which `HOST` stands for the registry, and the shell
    /// script that is `docker-credential-test`.
    pub(crate) fn login(mut self, config: &str, helper: Option<&str>) -> Self {
        self.login = Some(Login { config: config.to_owned(), helper: helper.map(str::to_owned) });
        self
    }

    /// Runs the program.
    pub(crate) fn play(self, world: &impl World) -> Played {
        let image = fresh_image(self.registry(world));
        let proxies = Peer::ALL.map(|peer| {
            let rules = self.rules.iter().filter(|(of, _)| *of == peer);
            let rules = rules.map(|(_, rule)| rule.clone()).collect();
            (peer, FaultProxy::start(&self.address(world, peer), rules))
        });
        let at = |peer| &proxies.iter().find(|(of, _)| *of == peer).unwrap().1;
        let config = TempDir::new().unwrap();
        let services = match &self.trust[1] {
            Some(path) => path.clone(),
            None => {
                let kinds = [
                    (Service::Fulcio, Peer::Fulcio),
                    (Service::Rekor, Peer::Rekor),
                    (Service::Tsa, Peer::Tsa),
                ];
                let original = PathBuf::from(world.var(match self.log {
                    Log::V1 => "SIGNING_CONFIG_V1",
                    Log::V2 => "SIGNING_CONFIG_V2",
                }));
                kinds.iter().fold(original, |path, (service, peer)| {
                    signing_config_with(&path, config.path(), *service, &at(*peer).url())
                })
            }
        };
        let root = self.trust[0].clone();
        let root = root.unwrap_or_else(|| world.var("TRUSTED_ROOT").into());
        let registry = at(Peer::Registry).host();
        let named = match &self.image {
            Named::ByDigest => Some(image.through(&registry).reference()),
            Named::ByTag => Some(image.through(&registry).tagged()),
            Named::Elsewhere => None,
            Named::Otherwise(name) => {
                Some(name.replace("HOST", &registry).replace("IMAGE", &image.repository))
            }
        };
        let timeout = format!("{}s", self.timeout.as_secs());
        let mut program = Program::ambisign()
            .args(["sign", "-v", "--output", "json", "--timeout", &timeout])
            .arg("--trusted-root")
            .arg(root)
            .arg("--signing-config")
            .arg(services)
            .args(&self.args)
            .args(named);
        let job = [
            ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", REQUEST_TOKEN.to_owned()),
            ("ACTIONS_ID_TOKEN_REQUEST_URL", at(Peer::Token).url()),
        ];
        for (name, value) in job {
            if !self.unset.iter().any(|unset| unset == name) {
                program = program.env(name, value);
            }
        }
        if let Some(login) = &self.login {
            let path = format!("{}:/usr/bin:/bin", config.path().display());
            login.write(config.path(), &registry);
            program = program.env("DOCKER_CONFIG", config.path()).env("PATH", path);
        }
        for (name, value) in &self.env {
            program = program.env(name, value.replace("HOST", &registry));
        }
        let run = program.limit(self.timeout + GRACE * 4).run();
        let seen = proxies.iter().map(|(peer, proxy)| (*peer, proxy.seen())).collect();
        Played { run, image, seen, canaries: self.canaries, timeout: self.timeout, _config: config }
    }

    fn address(&self, world: &impl World, peer: Peer) -> String {
        if let Some((_, url)) = self.elsewhere.iter().find(|(of, _)| *of == peer) {
            return url.clone();
        }
        let name = match (peer, self.log) {
            (Peer::Fulcio, _) => "FULCIO_URL",
            (Peer::Registry, _) => return self.registry(world).to_owned(),
            (Peer::Rekor, Log::V1) => "REKOR_URL",
            (Peer::Rekor, Log::V2) => "REKOR2_URL",
            (Peer::Token, _) => "GITHUB_TOKEN_URL",
            (Peer::Tsa, _) => "TSA_URL",
        };
        world.var(name).to_owned()
    }

    fn registry<'a>(&self, world: &'a impl World) -> &'a str {
        world.var(match self.registry {
            Registry::Fallback => "REGISTRY",
            Registry::Referrers => "REGISTRY_REFERRERS",
        })
    }
}
