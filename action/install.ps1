# SPDX-License-Identifier: Apache-2.0
# ambisign runs on Linux and macOS. On a Windows runner this says so, rather than to leave the step out
# and the image unsigned.
$ErrorActionPreference = 'Stop'
Write-Output '::error title=ambisign%3A action/install::ambisign does not run on Windows: sign in a job with `runs-on: ubuntu-latest`, which needs no more than the digest of the image'
exit 1
