// SPDX-License-Identifier: Apache-2.0
//! Checkpoints: the signed size and root hash of a log's tree (C2SP tlog-checkpoint).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::note::Note;
use crate::trust::root::Log;

/// A parsed checkpoint. Nothing in it is verified yet.
#[derive(Clone, Debug)]
pub struct Checkpoint<'a> {
    /// The name of the log.
    pub origin: &'a str,
    /// The number of leaves.
    pub size: u64,
    /// The root hash.
    pub root: [u8; 32],
    note: Note<'a>,
}

impl<'a> Checkpoint<'a> {
    /// Parses a checkpoint: origin, size and root hash in this order, then lines that are ignored.
    /// `None` if one of the three is missing.
    pub fn parse(envelope: &'a str) -> Option<Self> {
        let note = Note::parse(envelope)?;
        let mut lines = note.text.split('\n');
        let (origin, size, root) = (lines.next()?, lines.next()?, lines.next()?);
        let decimal = size.bytes().all(|b| b.is_ascii_digit());
        if origin.is_empty() || !decimal || (size.starts_with('0') && size.len() > 1) {
            return None;
        }
        Some(Self {
            origin,
            size: size.parse().ok()?,
            root: STANDARD.decode(root).ok()?.try_into().ok()?,
            note,
        })
    }

    /// Returns `true` if `log`, which runs Rekor `version`, signed the checkpoint: it has a line with the
    /// name `name` and the hint of the log's key, and every such line verifies. Other lines belong to
    /// unknown keys.
    pub fn is_signed_by(&self, log: &Log, name: &str, version: u32) -> bool {
        let verifies = |text: &[u8], signature: &[u8]| match version {
            1 => log.verify_of_v1(text, signature),
            _ => log.verify(text, signature),
        };
        let signatures = self.note.signatures.iter();
        let mut own = signatures
            .filter(|signature| signature.name == name && signature.hint == log.hint())
            .peekable();
        let text = self.note.text.as_bytes();
        own.peek().is_some() && own.all(|signature| verifies(text, &signature.bytes))
    }
}

impl Checkpoint<'_> {
    /// The beginnings of the IDs of the keys that signed it as `name`.
    pub fn hints_of(&self, name: &str) -> Vec<[u8; 4]> {
        let signatures = self.note.signatures.iter();
        let own = signatures.filter(|signature| signature.name == name);
        own.map(|signature| signature.hint).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::Checkpoint;
    use crate::trust::TrustedRoot;

    const ENVELOPE: &str = "log.example.test\n2\n\
        gdW/UV4B4fL9TBMAHA51pm2bT8hvyTnPf1tKFjolhPI=\n\n\
        \u{2014} log.example.test pFUIN4QOErowwk6qN6xqUzTalHw3Lvm/8J47l+gBwkG7oROafQ7v8dFeQw1l9HvMD0B2hoMkz7agUTd2HCsG1xncWgA=\n";

    fn root() -> TrustedRoot {
        TrustedRoot::parse(
            br#"{"mediaType":"application/vnd.dev.sigstore.trustedroot.v0.2+json","tlogs":[{
            "baseUrl":"https://log.example.test","hashAlgorithm":"SHA2_256","publicKey":{
            "rawBytes":"MCowBQYDK2VwAyEA6kpsY+KcUgq+9VB7Ey7F+ZVHdq6+vnuSQh7qaRRG0iw=",
            "keyDetails":"PKIX_ED25519","validFor":{"start":"2026-01-01T00:00:00Z"}},
            "logId":{"keyId":"pFUIN6zTTrIPvjPRa+nxsufIiaDuajdu20z+Qv6VvN0="},
            "checkpointKeyId":{"keyId":"pFUINw=="}}]}"#,
        )
        .unwrap()
    }

    #[test]
    fn verifies_under_the_key_of_its_log() {
        let root = root();
        let log = root.log(root.log_ids().next().unwrap()).unwrap();
        assert_eq!(log.origin().as_deref(), Some("log.example.test"));
        let checkpoint = Checkpoint::parse(ENVELOPE).unwrap();
        assert_eq!((checkpoint.origin, checkpoint.size), ("log.example.test", 2));
        assert!(checkpoint.is_signed_by(log, "log.example.test", 2));
        assert!(!checkpoint.is_signed_by(log, "log.example", 2));
        let other = ENVELOPE.replace("\n2\n", "\n3\n");
        assert!(!Checkpoint::parse(&other).unwrap().is_signed_by(log, "log.example.test", 2));
    }

    /// A line counts as the log's own by its name and its hint, both of which others may share. All of
    /// the log's own lines must verify (C2SP signed-note, "Verifying").
    #[test]
    fn lines_of_other_keys_decide_nothing() {
        let root = root();
        let log = root.log(root.log_ids().next().unwrap()).unwrap();
        let (text, own) = ENVELOPE.split_once("\n\n").unwrap();
        // Signatures of one byte, under the hint of the log and under another one.
        let line = |name: &str, bytes: &str| format!("\u{2014} {name} {bytes}\n");
        let (same_hint, other_hint) = ("pFUINwA=", "AAECAwQ=");
        for (lines, signed) in [
            (own.to_owned(), true),
            (line("log.example.test", other_hint) + own, true),
            (line("witness.example.test", same_hint) + own, true),
            (own.to_owned() + &line("log.example.test", same_hint), false),
            (line("log.example.test", other_hint), false),
            (line("witness.example.test", same_hint), false),
        ] {
            let envelope = format!("{text}\n\n{lines}");
            let checkpoint = Checkpoint::parse(&envelope).unwrap();
            assert_eq!(checkpoint.is_signed_by(log, "log.example.test", 2), signed, "{lines}");
        }
        let lines = own.to_owned() + &line("log.example.test", other_hint) + &line("x", same_hint);
        let envelope = format!("{text}\n\n{lines}");
        let hints = Checkpoint::parse(&envelope).unwrap().hints_of("log.example.test");
        assert_eq!(hints, [log.hint(), [0, 1, 2, 3]]);
    }

    /// The size is a decimal number without a sign and without leading zeros (C2SP tlog-checkpoint).
    #[test]
    fn sizes_have_one_form() {
        for (size, read) in [
            ("0", Some(0)),
            ("2", Some(2)),
            ("10", Some(10)),
            ("18446744073709551615", Some(u64::MAX)),
            ("18446744073709551616", None),
            ("", None),
            ("00", None),
            ("02", None),
            ("+2", None),
            ("-2", None),
            (" 2", None),
            ("0x2", None),
        ] {
            let envelope = ENVELOPE.replace("\n2\n", &format!("\n{size}\n"));
            let found = Checkpoint::parse(&envelope).map(|checkpoint| checkpoint.size);
            assert_eq!(found, read, "{size:?}");
        }
    }

    #[test]
    fn needs_origin_size_and_root() {
        let (head, rest) = ENVELOPE.split_once("\n2\n").unwrap();
        for broken in [
            format!("{head}\n{rest}"),
            format!("2\n{rest}"),
            format!("\n2\n{rest}"),
            format!("{head}\n\n{rest}"),
            ENVELOPE.replace("gdW/", "gdW"),
            ENVELOPE.replace("gdW/UV4B", ""),
            ENVELOPE.replace("gdW/UV4B4fL9TBMAHA51pm2bT8hvyTnPf1tKFjolhPI=\n", ""),
        ] {
            assert!(Checkpoint::parse(&broken).is_none(), "{broken}");
        }
    }
}
