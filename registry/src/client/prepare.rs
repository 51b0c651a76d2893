// SPDX-License-Identifier: Apache-2.0
//! Resolves an image and checks push permission in parallel.

use url::Url;

use crate::discovery::Discovery;
use crate::error::Error;
use crate::read::Puller;
use crate::read::manifest::Manifest;
use crate::reference::Reference;
use crate::write::Pusher;

/// The image; the way to find its signatures, which are stored `beside` it or in another repository;
/// and an upload session there, which proves push permission.
pub(crate) async fn gather(
    puller: &Puller<'_>,
    reference: &Reference,
    beside: &Pusher<'_>,
) -> (Result<(Manifest, Discovery), Error>, Result<Url, Error>) {
    let image = puller.look_up(reference, &beside.puller);
    let session = async {
        let asked = beside.ask_upload().await?;
        asked.map_err(|answer| beside.puller.connection.push_denied(&answer))
    };
    let work = async { tokio::join!(image, session) };
    // A credential helper may take longer than the first answer, so it starts now. Its result is used
    // only if the registry asks for a credential.
    let ahead = async {
        let _for_later =
            tokio::join!(puller.connection.credential(), beside.puller.connection.credential());
        std::future::pending().await
    };
    tokio::select! {
        done = work => done,
        never = ahead => never,
    }
}
