// SPDX-License-Identifier: Apache-2.0
// sigstore-js as a maker and as a judge of bundles.
//
//   client.mjs sign FULCIO REKOR API_VERSION TSA FILE BUNDLE          a file
//   client.mjs attest FULCIO REKOR API_VERSION TSA STATEMENT BUNDLE   an in-toto statement
//   client.mjs verify TRUSTED_ROOT IDENTITY ISSUER BUNDLE [FILE]
//
// The identity token is in SIGSTORE_ID_TOKEN. Exit 0, or 1 with a reason.
import { readFileSync, writeFileSync } from 'node:fs';
import { bundleFromJSON, bundleToJSON } from '@sigstore/bundle';
import { TrustedRoot } from '@sigstore/protobuf-specs';
import {
  DSSEBundleBuilder,
  FulcioSigner,
  MessageSignatureBundleBuilder,
  RekorWitness,
  TSAWitness,
} from '@sigstore/sign';
import { toSignedEntity, toTrustMaterial, Verifier } from '@sigstore/verify';

const json = (path) => JSON.parse(readFileSync(path, 'utf8'));

async function make(Builder, type, [fulcio, rekor, version, tsa, file, bundle]) {
  const identityProvider = { getToken: async () => process.env.SIGSTORE_ID_TOKEN };
  const signer = new FulcioSigner({ fulcioBaseURL: fulcio, identityProvider });
  // It adds the path of the API itself.
  const tsaBaseURL = tsa.replace(/\/api\/v1\/timestamp$/, '');
  const witnesses = [
    new RekorWitness({ rekorBaseURL: rekor, majorApiVersion: Number(version) }),
    new TSAWitness({ tsaBaseURL }),
  ];
  const made = await new Builder({ signer, witnesses }).create({ data: readFileSync(file), type });
  writeFileSync(bundle, JSON.stringify(bundleToJSON(made)));
}

function verify([root, identity, issuer, bundle, file]) {
  const material = toTrustMaterial(TrustedRoot.fromJSON(json(root)));
  const data = file === undefined ? undefined : readFileSync(file);
  const entity = toSignedEntity(bundleFromJSON(json(bundle)), data);
  // Identities are regular expressions to it.
  const exactly = identity.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  new Verifier(material).verify(entity, {
    subjectAlternativeName: `^${exactly}$`,
    extensions: { issuer },
  });
}

const [command, ...rest] = process.argv.slice(2);
try {
  if (command === 'sign') await make(MessageSignatureBundleBuilder, undefined, rest);
  else if (command === 'attest') await make(DSSEBundleBuilder, 'application/vnd.in-toto+json', rest);
  else if (command === 'verify') verify(rest);
  else throw new Error(`no command ${command}`);
} catch (error) {
  console.error(`${error.code ?? error.name}: ${error.message}`, error.cause ?? '');
  process.exit(1);
}
