# SPDX-License-Identifier: Apache-2.0
# The container image by a container engine, from this folder alone:
#
#   docker build .                     the program, CA roots, passwd, /tmp
#   docker build --target nonroot .    the same, run as 65532
#   docker build --target shell .      with busybox, for systems that run commands in the image
#
# The files are those of `release/image`, which makes the images of a release and needs no engine.
# Digests differ from those: an engine writes its own times and layers.

FROM --platform=$BUILDPLATFORM rust:1.95-bookworm@sha256:6258907abe69656e41cd992e0b705cdcfabcbbe3db374f92ed2d47121282d4a1 AS build
RUN apt-get update && apt-get install -y --no-install-recommends python3-venv
WORKDIR /ambisign
COPY . .
ARG TARGETARCH
RUN case "$TARGETARCH" in amd64) machine=x86_64 ;; arm64) machine=aarch64 ;; *) exit 1 ;; esac \
 && release/build /dist "$machine-unknown-linux-musl" \
 && release/image rootfs /scratch --binary "/dist/ambisign-$machine-unknown-linux-musl" \
 && release/image rootfs /shell --binary "/dist/ambisign-$machine-unknown-linux-musl" --flavour shell

FROM scratch AS shell
COPY --from=build /shell/ /
COPY --from=build --chown=65532:65532 /shell/home/nonroot/ /home/nonroot/
ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
WORKDIR /
CMD ["/bin/sh"]

FROM scratch AS program
COPY --from=build /scratch/ /
COPY --from=build --chown=65532:65532 /scratch/home/nonroot/ /home/nonroot/
ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
WORKDIR /
ENTRYPOINT ["/ambisign"]
CMD ["--help"]

FROM program AS nonroot
USER 65532:65532

# As root: what CI systems mount belongs to root. docs/install.md has the reasons.
FROM program
