# The image of Holdfast: the server, migrations and keys, with the packages that they import, the built console and Deno.
#
#     docker build --tag holdfast:0.1.0 .
#     docker buildx build --platform linux/amd64,linux/arm64 --tag registry.example/holdfast:0.1.0 --push .
#
# The command line comes from whoever starts it, as it names the hosts and files that the program may use: compose.yaml
# and deploy/kubernetes have it. docs/deploy.md says more.

# Nothing is run for another processor than this machine's: what is made is the same for all, but for dbmate.
FROM --platform=$BUILDPLATFORM denoland/deno:2.9.3 AS build
WORKDIR /build
# Packages first: they are fetched anew only where these have changed.
COPY deno.json deno.lock ./
COPY src/console/deno.json src/console/
COPY tests/browser/deno.json tests/browser/
RUN deno install --frozen
COPY migrations migrations
COPY src src
COPY tools/reader_errors.ts tools/
COPY tools/console tools/console
COPY tools/image tools/image
RUN deno task console
ARG TARGETARCH
RUN deno task image /app "$TARGETARCH"
# What Deno makes of the sources, so that no start has to: there nothing can be written.
WORKDIR /app
RUN DENO_DIR=/cache deno cache src/main.ts src/migrate/main.ts src/keys/main.ts src/doctor/main.ts \
  src/retention/main.ts src/process/ready_check.ts

# The allocator, with which a call takes an eighth to a third less CPU time. Fetched, not run, so it may be for another
# processor. It is that of Debian 12, which asks for no newer glibc than any image that has Deno.
FROM --platform=$BUILDPLATFORM debian:bookworm-slim AS allocator
WORKDIR /package
ARG TARGETARCH
RUN dpkg --add-architecture "$TARGETARCH" && apt-get update && apt-get download "libjemalloc2:$TARGETARCH" && \
  dpkg-deb --extract libjemalloc2_*.deb . && mv usr/lib/*/libjemalloc.so.2 /

# Without a shell or a package manager. Its entry point is Deno, behind an init that passes signals on.
FROM denoland/deno:distroless-2.9.3
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Holdfast" \
      org.opencontainers.image.description="A stock service that never oversells" \
      org.opencontainers.image.version="0.1.0" \
      org.opencontainers.image.revision="$REVISION" \
      org.opencontainers.image.licenses="Apache-2.0"
ENV DENO_DIR=/deno-dir DENO_NO_UPDATE_CHECK=1 LD_PRELOAD=/usr/lib/libjemalloc.so.2
WORKDIR /app
COPY --from=build /cache /deno-dir
COPY --from=build /app /app
COPY --from=allocator /libjemalloc.so.2 /usr/lib/libjemalloc.so.2
# A number, by which Kubernetes sees that it is not root. All files are root's.
USER 65532:65532
EXPOSE 8080
