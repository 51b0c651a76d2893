// SPDX-License-Identifier: Apache-2.0
//! Interprets answers of a log that are not an entry.

use ambisign_host::{Answer, Host};
use url::Url;

use super::error::Error;
use crate::service::{self, Kind};

/// Why a log gave `answer` instead of an entry. What a log does not write is not from a log.
pub(super) async fn refused(host: &Host, kind: Kind, url: &Url, answer: &Answer) -> Error {
    let (status, body) = (answer.status.as_u16(), &answer.body);
    let excerpt = answer.excerpt(&host.net);
    let plain = !service::is_page(body) && !service::is_error(body);
    match (status, kind) {
        // A shard that is closed says so in plain text.
        (405, Kind::RekorV2) if plain && !body.is_empty() => Error::Frozen { excerpt },
        (status, _) if service::is_of_url(status) => {
            service::mistaken(host, kind, url, answer).await.into()
        }
        (400..500, _) if service::is_page(body) => {
            service::mistaken(host, kind, url, answer).await.into()
        }
        (status, _) => Error::LogRefused { status, excerpt },
    }
}
