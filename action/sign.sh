#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Signs with the inputs of `action.yml`. Most reach ambisign as the variables `AMBISIGN_*`, of which the
# step sets every one. Those that decide who gets the token, or consent to what becomes public, are in
# `FLAG_*` and become flags: `--public-instance` takes them from the environment of nobody.
set -eu

# The defaults hold for an input that is given and empty, too.
AMBISIGN_PUBLIC_INSTANCE=${AMBISIGN_PUBLIC_INSTANCE:-true}
AMBISIGN_REQUIRE_DIGEST=${AMBISIGN_REQUIRE_DIGEST:-true}
# An older runner does not name the list, and then an earlier step could.
if [ "$ARTIFACTS" != true ]; then unset GITHUB_ARTIFACTS_LIST; fi

# A provider that was not chosen by an earlier step.
if [ -z "$AMBISIGN_OIDC_PROVIDER$AMBISIGN_IDENTITY_TOKEN$AMBISIGN_IDENTITY_TOKEN_FILE" ]; then
  AMBISIGN_OIDC_PROVIDER=github-actions
fi

# Bundles that are there when the step is over, also of a run that could not attach them.
if [ -z "$AMBISIGN_BUNDLE_DIR" ]; then
  AMBISIGN_BUNDLE_DIR=$(mktemp -d "${RUNNER_TEMP:-/tmp}/ambisign-XXXXXX")
fi

# A value that begins with a dash stays a value.
set -- sign
if [ -n "$FLAG_ALLOW_HTTP_REGISTRY" ]; then set -- "$@" "--allow-http-registry=$FLAG_ALLOW_HTTP_REGISTRY"; fi
if [ -n "$FLAG_CA_FILE" ]; then set -- "$@" "--ca-file=$FLAG_CA_FILE"; fi
if [ -n "$FLAG_FULCIO_URL" ]; then set -- "$@" "--fulcio-url=$FLAG_FULCIO_URL"; fi
if [ -n "$FLAG_REKOR_URL" ]; then set -- "$@" "--rekor-url=$FLAG_REKOR_URL"; fi
# `--public-instance` also takes from it, as a flag alone, which server an organisation runs itself.
if [ -n "$FLAG_REQUIRE_ISSUER" ]; then set -- "$@" "--require-issuer=$FLAG_REQUIRE_ISSUER"; fi
if [ -n "$FLAG_SIGNING_CONFIG" ]; then set -- "$@" "--signing-config=$FLAG_SIGNING_CONFIG"; fi
if [ -n "$FLAG_TRUSTED_ROOT" ]; then set -- "$@" "--trusted-root=$FLAG_TRUSTED_ROOT"; fi
if [ -n "$FLAG_TSA_URL" ]; then set -- "$@" "--tsa-url=$FLAG_TSA_URL"; fi
if [ -n "$FLAG_TUF_MIRROR" ]; then set -- "$@" "--tuf-mirror=$FLAG_TUF_MIRROR"; fi
if [ -n "$FLAG_TUF_ROOT" ]; then set -- "$@" "--tuf-root=$FLAG_TUF_ROOT"; fi
# Switches: nothing but `true` turns them on, and what is no switch is no silence.
for switch in "--allow-private-repository=$FLAG_ALLOW_PRIVATE_REPOSITORY" "--staging=$FLAG_STAGING"; do
  case ${switch#*=} in
    '' | false) ;;
    true) set -- "$@" "${switch%%=*}" ;;
    *)
      switch=${switch%%=*}
      echo "::error title=ambisign%3A settings/value::the input \`${switch#--}\` is not \`true\` or \`false\`"
      exit 2
      ;;
  esac
done
export AMBISIGN_OIDC_PROVIDER AMBISIGN_BUNDLE_DIR AMBISIGN_PUBLIC_INSTANCE AMBISIGN_REQUIRE_DIGEST
exec "$PROGRAM" "$@"
