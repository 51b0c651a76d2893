// SPDX-License-Identifier: Apache-2.0
//! `test_static_repositories` of tuf-conformance, and the published roots of the public instance:
//! files that others signed. Their origin is in `tests/vectors/README.md`.

use std::fs;
use std::path::{Path, PathBuf};

use super::client::{Client, refused, row};
use super::server::Server;

/// The time at which all roots up to the latest are there and none of them but the old ones is over.
const PRODUCTION_TIME: &str = "2026-08-22T00:00:00Z";

fn vectors(folder: &str) -> PathBuf {
    let tuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/tuf");
    tuf.join(folder)
}

/// Serves everything below `folder`.
fn serve(server: &Server, folder: &Path, prefix: &str) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = format!("{prefix}{}", path.file_name().unwrap().to_str().unwrap());
        if path.is_dir() {
            serve(server, &path, &format!("{name}/"));
        } else {
            server.put(&name, fs::read(&path).unwrap());
        }
    }
}

#[tokio::test]
async fn static_repository() {
    // The last column: versions of root, timestamp, snapshot and targets.
    let rows = [
        (
            "tuf-on-ci-0.11",
            "1.root.json",
            "2025-02-09T12:02:08Z",
            "delegatedrole/artifact",
            [1, 2, 2, 1],
        ),
        (
            "sigstore-root-signing",
            "12.root.json",
            "2025-02-09T09:17:23Z",
            "trusted_root.json",
            [12, 272, 159, 11],
        ),
    ];
    for (name, root, time, target, versions) in rows {
        let server = Server::start();
        let folder = vectors("static").join(name);
        serve(&server, &folder, "");
        let root = fs::read(folder.join("metadata").join(root)).unwrap();
        let client = Client::new(&server, root, humantime::parse_rfc3339(time).unwrap());
        assert_eq!(client.refresh().await.map(row), Ok(versions), "static_repository[{name}]");
        let bytes = client.download_one(target).await.unwrap();
        let served = server.asked().into_iter().filter_map(|path| server.file(&path));
        assert!(served.into_iter().any(|file| file == bytes), "static_repository[{name}]");
    }
}

/// Begins with a root of the public instance, whose other metadata is not there.
async fn walk(first: u32, now: &str) -> (Result<[u64; 4], String>, u64) {
    let server = Server::start();
    serve(&server, &vectors("production"), "metadata/");
    let root = fs::read(vectors("production").join(format!("{first}.root.json"))).unwrap();
    let client = Client::new(&server, root, humantime::parse_rfc3339(now).unwrap());
    (client.refresh().await.map(row), client.keeps()[0])
}

/// Among them are keys in hexadecimal digits, expiry times with an offset and with fractions of a
/// second, an ID of a key that is not its digest, and empty signatures.
#[tokio::test]
async fn from_any_root_of_the_public_instance_to_the_latest() {
    for first in 1..=15 {
        let (result, last) = walk(first, PRODUCTION_TIME).await;
        assert_eq!((result, last), (refused("tuf/status"), 15), "from root {first}");
        let (result, last) = walk(first, "2026-11-25T00:00:00Z").await;
        assert_eq!((result, last), (refused("tuf/expired"), 15), "from root {first}");
    }
}
