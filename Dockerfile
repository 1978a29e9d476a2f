# One image with gatepost-edge, gatepost-broker and the command line gatepost. `./dev image` builds it.
#
# It has the three programs, the libraries that they load, and the authorities of ca-certificates:
# no shell, no package manager. The manifest chooses the program:
#
#   podman run gatepost gatepost-broker --redis redis://redis:6379
#
# SOURCE_DATE_EPOCH   seconds; the time of all files, so that the same source gives the same layer
# VERSION, REVISION, SOURCE   for the labels and the SBOM

FROM docker.io/library/debian:bookworm-slim AS build

RUN apt-get update -qq && \
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
        ca-certificates cmake gcc libc6-dev libcurl4-openssl-dev libevent-dev libfyaml-dev libhiredis-dev \
        libjansson-dev libjwt-dev libprotobuf-c-dev libssl-dev libsystemd-dev libxxhash-dev libzmq3-dev \
        ninja-build pkgconf protobuf-c-compiler python3 zlib1g-dev

WORKDIR /src
COPY . .
RUN cmake --preset release -DGATEPOST_TESTS=OFF -DCMAKE_INSTALL_PREFIX=/usr && \
    cmake --build build/release && \
    DESTDIR=/install cmake --install build/release --strip

ARG SOURCE_DATE_EPOCH=0
ARG VERSION=0
ARG REVISION=unknown
RUN deploy/image/rootfs /install /rootfs && \
    deploy/image/sbom /rootfs "$VERSION" "$REVISION" && \
    find /rootfs -exec touch --no-dereference --date "@$SOURCE_DATE_EPOCH" {} +

FROM scratch

COPY --from=build /rootfs /

ARG VERSION=0
ARG REVISION=unknown
ARG SOURCE=unknown
LABEL org.opencontainers.image.title="gatepost" \
      org.opencontainers.image.description="A WebSocket API gateway: edge, broker and command line" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION" \
      org.opencontainers.image.source="$SOURCE" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.base.name="docker.io/library/debian:bookworm-slim"

ENV PATH=/usr/bin
USER 10001:10001
STOPSIGNAL SIGTERM
# For podman and docker; Kubernetes has probes of its own. Not readiness: Swarm replaces what is not healthy, and
# an edge without brokers still has its clients.
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s CMD ["/usr/bin/gatepost", "health", "--live"]
CMD ["gatepost", "--help"]
