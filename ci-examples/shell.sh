#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Any other CI system, or none: push an image and sign it with a token from the platform.
#
#   SIGSTORE_ID_TOKEN=... ci-examples/shell.sh ghcr.io/acme/app v1.0.0
#
# Permissions: SIGSTORE_ID_TOKEN is an OIDC token with audience `sigstore` of an issuer that Fulcio accepts
# (the public one lists its issuers at https://fulcio.sigstore.dev/api/v2/configuration). Run `docker login`
# before, with a login that has push permission.
#
# Verify, anywhere. The log of the run ends with this command, filled in; this one is for a Google token.
#   cosign verify \
#     --certificate-identity build@my-project.iam.gserviceaccount.com \
#     --certificate-oidc-issuer https://accounts.google.com \
#     ghcr.io/acme/app@sha256:...
set -eu

: "${SIGSTORE_ID_TOKEN:?an OIDC token with audience sigstore is needed}"
repository=${1:?usage: shell.sh REPOSITORY TAG}
tag=${2:?usage: shell.sh REPOSITORY TAG}

docker push "$repository:$tag"
docker inspect --format '{{range .RepoDigests}}{{println .}}{{end}}' "$repository:$tag" | grep "^$repository@" >images.txt

# With the binary installed: ambisign sign --require-digest --images-file images.txt
docker run --rm \
  --env SIGSTORE_ID_TOKEN \
  --env DOCKER_CONFIG=/docker \
  --volume "${DOCKER_CONFIG:-$HOME/.docker}/config.json:/docker/config.json:ro" \
  --volume "$PWD:/work:ro" \
  --workdir /work \
  ghcr.io/OWNER/ambisign:0.1.0@sha256:0000000000000000000000000000000000000000000000000000000000000000 \
  sign --require-digest --images-file images.txt
