// SPDX-License-Identifier: Apache-2.0
//! SPIFFE. The socket of the Workload API is recognised; requesting a JWT-SVID is not implemented yet.

use std::net::SocketAddr;
use std::os::unix::fs::FileTypeExt;
use std::path::Path;

use ambisign_host::{Host, errors};

use crate::{Detection, Kind, Options, PlatformHint, Provider, Variable};

const SOCKET: &str = "SPIFFE_ENDPOINT_SOCKET";

/// SPIRE's default socket. Everyone can write to its folder, so an existing socket does not mean that
/// someone configured it.
const DEFAULT: &str = "/tmp/spire-agent/public/api.sock";

pub(crate) const PROVIDER: Provider = Provider {
    name: "spiffe",
    variables: &[Variable::mark(
        SOCKET,
        "unix:///run/spire/agent.sock",
        "SPIFFE: the Workload API",
    )],
    secrets: &[],
    errors: &[Error::TABLE],
    kind: Kind::Asked,
    detect,
};

pub(crate) const DEFAULT_SOCKET: Provider = Provider {
    name: "spiffe-default-socket",
    variables: &[],
    secrets: &[],
    errors: &[],
    kind: Kind::Machine,
    detect: detect_default,
};

errors! {
    /// The Workload API provided no token.
    #[derive(Debug, thiserror::Error)]
    pub enum Error {
        #[error("`{SOCKET}` does not name a socket")]
        Address = "spiffe/address", Identity {
            what: "The address of the SPIFFE socket is malformed.",
            why: "`SPIFFE_ENDPOINT_SOCKET` must name a socket of this machine.",
            advice: "Set `SPIFFE_ENDPOINT_SOCKET` to `unix:///path/to/agent.sock` or `tcp://127.0.0.1:PORT`.",
        },
        #[error("a SPIFFE Workload API is configured, which is not supported directly yet")]
        Unsupported { variable: String, audience: String } = "spiffe/unsupported", Identity {
            fix: fetch(variable, audience),
            what: "A SPIFFE Workload API is configured, which is not supported directly yet.",
            why: "It uses gRPC, which is not implemented.",
            advice: "Fetch a JWT-SVID with the command of the SPIFFE agent, and set a token variable to it.",
        },
    }
}

impl From<Error> for crate::Error {
    fn from(error: Error) -> Self {
        Self::new(error)
    }
}

fn fetch(variable: &str, audience: &str) -> String {
    format!(
        "set `{variable}` to the token that `spire-agent api fetch jwt -audience {audience}` prints"
    )
}

fn detect(host: &Host, options: &Options) -> Detection {
    let Some(address) = host.env.raw(SOCKET) else {
        return Detection::Absent;
    };
    let error = if address.to_str().is_some_and(is_socket) {
        Error::Unsupported { variable: options.variable(), audience: options.audience.clone() }
    } else {
        Error::Address
    };
    Detection::Broken(error.into())
}

fn detect_default(host: &Host, options: &Options) -> Detection {
    let socket = host.path(DEFAULT).metadata();
    if !socket.is_ok_and(|file| file.file_type().is_socket()) {
        return Detection::Absent;
    }
    Detection::Recognised(PlatformHint {
        name: "SPIRE",
        fix: fetch(&options.variable(), &options.audience),
    })
}

/// `unix:///path`, `unix:/path` or `tcp://IP:port` (SPIFFE Workload Endpoint 4), or the bare path that
/// other programs use.
fn is_socket(address: &str) -> bool {
    if let Some(tcp) = address.strip_prefix("tcp://") {
        return tcp.parse::<SocketAddr>().is_ok();
    }
    let path = address
        .strip_prefix("unix://")
        .or_else(|| address.strip_prefix("unix:"))
        .unwrap_or(address);
    Path::new(path).is_absolute()
}

#[cfg(test)]
mod tests {
    use super::is_socket;

    #[test]
    fn both_forms_of_the_address_are_known() {
        for address in [
            "unix:///run/spire/api.sock",
            "unix:/run/spire/api.sock",
            "/run/spire/api.sock",
            "tcp://127.0.0.1:8081",
        ] {
            assert!(is_socket(address), "{address}");
        }
        for address in [
            "",
            "run/api.sock",
            "unix://run/api.sock",
            "tcp://spire:8081",
            "tcp://127.0.0.1:8081/path",
            "http://127.0.0.1",
        ] {
            assert!(!is_socket(address), "{address}");
        }
    }
}
