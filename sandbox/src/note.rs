// SPDX-License-Identifier: Apache-2.0
//! Signed notes (C2SP signed-note) as checkpoints (C2SP tlog-checkpoint).

use crate::b64;
use crate::merkle::Hash;

/// The text of a checkpoint: origin, size, root.
pub(crate) fn checkpoint(origin: &str, size: usize, root: Hash) -> String {
    format!("{origin}\n{size}\n{}\n", b64(&root))
}

/// The note: the text, an empty line, and one signature line. `id` begins with the key's hint.
pub(crate) fn signed(text: &str, name: &str, id: &[u8; 32], signature: &[u8]) -> String {
    let [a, b, c, d, ..] = *id;
    let line = b64(&[&[a, b, c, d], signature].concat());
    format!("{text}\n\u{2014} {name} {line}\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::sha256;
    use aws_lc_rs::signature::Ed25519KeyPair;

    #[test]
    fn known_note() {
        let key = Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap();
        let public = aws_lc_rs::signature::KeyPair::public_key(&key).as_ref();
        let id = sha256(&[b"log.example.test\n\x01", public]);
        assert_eq!(b64(&id), "pFUIN6zTTrIPvjPRa+nxsufIiaDuajdu20z+Qv6VvN0=");
        let root = "81d5bf515e01e1f2fd4c13001c0e75a66d9b4fc86fc939cf7f5b4a163a2584f2";
        let root = hex::decode(root).unwrap().try_into().unwrap();
        let text = checkpoint("log.example.test", 2, root);
        let note = signed(&text, "log.example.test", &id, key.sign(text.as_bytes()).as_ref());
        assert_eq!(
            note,
            "log.example.test\n2\ngdW/UV4B4fL9TBMAHA51pm2bT8hvyTnPf1tKFjolhPI=\n\n\
             \u{2014} log.example.test pFUIN4QOErowwk6qN6xqUzTalHw3Lvm/8J47l+gBwkG7oROafQ7v8dFeQw1l9\
             HvMD0B2hoMkz7agUTd2HCsG1xncWgA=\n"
        );
    }
}
