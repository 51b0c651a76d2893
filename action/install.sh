#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Puts ambisign in place for the steps of `action.yml`: the program that the input `binary` names, or the
# release that this commit pins by SHA-256. Writes the outputs `program`, `version` and `cache-hit`.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
newline='
'

fail() {
  echo "::error title=ambisign%3A action/install::$1"
  exit 1
}

# The SHA-256 of file $1, in hex.
sha256() {
  if command -v sha256sum >/dev/null; then sha256sum <"$1" | cut -d ' ' -f 1
  elif command -v shasum >/dev/null; then shasum -a 256 <"$1" | cut -d ' ' -f 1
  elif command -v openssl >/dev/null; then openssl dgst -sha256 -r <"$1" | cut -d ' ' -f 1
  else fail "there is no sha256sum, shasum or openssl to check the download with"; fi
}

# Writes the outputs. The runner splits what starts a step at blanks and expands braces in it, so such a path gets
# another name.
done_with() {
  case $1 in
    *[!0-9A-Za-z/._+-]*)
      link=$(mktemp -d /tmp/ambisign-XXXXXX)/ambisign
      ln -s "$1" "$link"
      shift
      set -- "$link" "$@"
      ;;
  esac
  printf 'program=%s\nversion=%s\ncache-hit=%s\n' "$1" "$2" "$3" >>"$GITHUB_OUTPUT"
  exit 0
}

if [ -n "${BINARY:-}" ]; then
  case $BINARY in
    *"$newline"*) fail "the input \`binary\` has a line break" ;;
    /*) ;;
    *) BINARY=$PWD/$BINARY ;;
  esac
  if [ ! -f "$BINARY" ] || [ ! -x "$BINARY" ]; then fail "the input \`binary\` names no program"; fi
  version=$("$BINARY" --version) || fail "the program of the input \`binary\` does not start"
  case $version in
    'ambisign '*[!0-9A-Za-z.+-]*) fail "the program of the input \`binary\` is not ambisign" ;;
    'ambisign '*) ;;
    *) fail "the program of the input \`binary\` is not ambisign" ;;
  esac
  echo "$version, from the input binary"
  done_with "$BINARY" "${version#ambisign }" false
fi

version=$(cat "$here/version")
case ${RUNNER_OS:-}-${RUNNER_ARCH:-} in
  Linux-X64) target=x86_64-unknown-linux-musl ;;
  Linux-ARM64) target=aarch64-unknown-linux-musl ;;
  *) target= ;;
esac
asset=ambisign-$target
wanted=$(awk -v asset="$asset" '$2 == asset { print $1 }' "$here/checksums.txt")
if [ -z "$wanted" ]; then
  fail "this commit of the action pins no release of ambisign for ${RUNNER_OS:-?} ${RUNNER_ARCH:-?}: build it with \`cargo install --locked\` and give its path in the input \`binary\`, or use a commit of a release"
fi

cached=${RUNNER_TOOL_CACHE:-$RUNNER_TEMP}/ambisign/$version/$target
if [ -f "$cached/ambisign" ]; then
  if [ "$(sha256 "$cached/ambisign")" = "$wanted" ]; then
    echo "ambisign $version ($target), from the cache, SHA-256 ok"
    done_with "$cached/ambisign" "$version" true
  fi
  echo "::warning title=ambisign%3A action/install::the cached program is not that of the release, and is replaced"
  rm -f "$cached/ambisign"
fi
from=${DOWNLOAD_URL:-${GITHUB_SERVER_URL:-https://github.com}/$ACTION_REPOSITORY/releases/download/v$version}
part=$(mktemp "$RUNNER_TEMP/ambisign-XXXXXX")
if command -v curl >/dev/null; then
  curl -q --proto '=https' --tlsv1.2 --retry 5 --retry-connrefused --max-time 300 -fsSL -o "$part" "${from%/}/$asset" || fail "the release could not be downloaded"
elif command -v wget >/dev/null; then
  wget -q -T 60 -O "$part" "${from%/}/$asset" || fail "the release could not be downloaded"
else
  fail "there is no curl or wget to download the release with"
fi
if [ "$(sha256 "$part")" != "$wanted" ]; then fail "the download is not the release that this commit pins: its SHA-256 differs"; fi
chmod 755 "$part"
if mkdir -p "$cached" 2>/dev/null && mv -f "$part" "$cached/ambisign" 2>/dev/null; then part=$cached/ambisign; fi
echo "ambisign $version ($target), downloaded, SHA-256 ok"
done_with "$part" "$version" false
