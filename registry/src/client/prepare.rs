// SPDX-License-Identifier: Apache-2.0
//! The image, and beside it whether a signature may be pushed.

use url::Url;

use crate::discovery::Discovery;
use crate::error::Error;
use crate::read::Puller;
use crate::read::manifest::Manifest;
use crate::reference::Reference;
use crate::write::Pusher;

/// The image with the way in which its signatures are found `beside` it or in a repository of
/// their own, and an upload session there, which proves the push right.
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
    // A credential helper may take longer than the first answer, so it starts now; its outcome
    // counts only when the registry asks for a credential.
    let ahead = async {
        let _for_later = tokio::join!(
            puller.connection.credential(),
            beside.puller.connection.credential()
        );
        std::future::pending().await
    };
    tokio::select! {
        done = work => done,
        never = ahead => never,
    }
}
