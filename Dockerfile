# Latchkey as an image: docker build -t latchkey . (docs/install.md). Not root; nothing is written outside of /data and /tmp.
FROM node:24-slim AS package
WORKDIR /source
COPY . .
# Everything that it needs, the built dashboard too, as the package that npm would publish.
RUN npm pack --pack-destination /tmp --loglevel=error

FROM node:24-slim AS installed
WORKDIR /opt/latchkey
COPY --from=package /tmp/latchkey-*.tgz /tmp/
RUN npm init --yes > /dev/null \
 && npm install /tmp/latchkey-*.tgz --omit=dev --ignore-scripts --no-audit --no-fund --loglevel=error

FROM node:24-slim
ENV NODE_ENV=production \
    HOST=0.0.0.0 \
    DATABASE_URL=sqlite:/data/latchkey.db \
    LATCHKEY_OUTBOX=/data/outbox
COPY --from=installed /opt/latchkey /opt/latchkey
RUN ln -s /opt/latchkey/node_modules/.bin/latchkey /usr/local/bin/latchkey \
 && mkdir /data \
 && chown node:node /data
WORKDIR /data
USER node
VOLUME /data
EXPOSE 3000
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s \
  CMD ["node", "-e", "const { pathname } = new URL(process.env.BASE_URL ?? 'http://localhost'); fetch(`http://127.0.0.1:${process.env.PORT ?? 3000}${pathname.replace(/\\/$/, '')}/readyz`).then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["latchkey"]
CMD ["serve"]
