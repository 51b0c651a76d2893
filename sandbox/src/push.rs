// SPDX-License-Identifier: Apache-2.0
//! A tiny image for a sandbox that runs in another process, so that there is one to sign where no
//! other program can push.

use std::fs;
use std::path::Path;

use http_body_util::{BodyExt as _, Empty};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::header::HOST;
use hyper::{Method, Request};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use crate::files::REGISTRY;
use crate::{Error, file};

/// The folder of a registry that makes an image of what is posted below it, `NAME/TAG`.
pub(crate) const IMAGES: &str = "images";

/// The tag of an image that is named without one.
const TAG: &str = "1";

/// Pushes a tiny image `NAME[:TAG]` to the registry with the referrers API of the sandbox in `dir`, and
/// returns its name as `host:port/NAME@sha256:...`. No lie applies, as in [`crate::Sandbox::push_image`].
///
/// # Errors
/// The folder does not belong to a sandbox, or the sandbox does not run.
pub fn push(dir: &Path, image: &str) -> Result<String, Error> {
    let path = dir.join(REGISTRY);
    let address = fs::read_to_string(&path).map_err(file(&path))?;
    let (name, tag) = image.rsplit_once(':').unwrap_or((image, TAG));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(Error::Thread)?;
    let pushed = runtime.block_on(post(&address, &format!("/{IMAGES}/{name}/{tag}")));
    match pushed {
        Ok(digest) => Ok(format!("{address}/{name}@{digest}")),
        Err(why) => Err(Error::Push { address, why: why.to_string() }),
    }
}

/// What the host at `address` answers when nothing is posted to `path`.
async fn post(address: &str, path: &str) -> Result<String, Box<dyn std::error::Error>> {
    let stream = TcpStream::connect(address).await?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    let request = Request::builder()
        .method(Method::POST)
        .uri(path)
        .header(HOST, address)
        .body(Empty::<Bytes>::new())?;
    // When it is answered the sender goes, and with it the connection.
    let answered = async move {
        let response = sender.send_request(request).await?;
        let status = response.status();
        let body = response.into_body().collect().await?.to_bytes();
        Ok::<_, hyper::Error>((status, body))
    };
    let (connected, answered) = tokio::join!(connection, answered);
    let (status, body) = answered?;
    connected?;
    if !status.is_success() {
        return Err(format!("it answers {status}").into());
    }
    Ok(String::from_utf8(body.to_vec())?)
}
