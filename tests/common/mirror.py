# SPDX-License-Identifier: Apache-2.0
"""Makes a signed TUF repository with python-tuf: mirror.py FOLDER TARGETS DAYS

TARGETS maps names to files, DAYS maps roles to their days of validity (365 where it says nothing);
both are JSON.
"""
import datetime
import hashlib
import json
import pathlib
import sys

from securesystemslib.signer import CryptoSigner
from tuf.api.metadata import Metadata, MetaFile, Root, Snapshot, TargetFile, Targets, Timestamp

folder, targets, days = pathlib.Path(sys.argv[1]), json.loads(sys.argv[2]), json.loads(sys.argv[3])
now = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)
signer = CryptoSigner.generate_ecdsa()


def expires(role):
    return now + datetime.timedelta(days=days.get(role, 365))


root, listing = Root(expires=expires("root"), consistent_snapshot=True), Targets(expires=expires("targets"))
for role in ("root", "timestamp", "snapshot", "targets"):
    root.add_key(signer.public_key, role)
(folder / "targets").mkdir()
for name, path in targets.items():
    body = pathlib.Path(path).read_bytes()
    listing.targets[name] = TargetFile.from_data(name, body, ["sha256"])
    (folder / "targets" / f"{hashlib.sha256(body).hexdigest()}.{name}").write_bytes(body)
for name, signed in (
    ("1.root.json", root),
    ("1.targets.json", listing),
    ("1.snapshot.json", Snapshot(expires=expires("snapshot"))),
    ("timestamp.json", Timestamp(expires=expires("timestamp"), snapshot_meta=MetaFile(1))),
):
    metadata = Metadata(signed)
    metadata.sign(signer)
    metadata.to_file(str(folder / name))
