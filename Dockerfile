# The holdfast command as an image: `docker build -t holdfast:0.1.0 .`
# Every build step is an ordinary npm command, so the image is what `npm ci && npm run build` makes.

FROM node:24.14.0-bookworm-slim AS build
WORKDIR /build
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts
COPY tsconfig.json tsconfig.build.json ./
COPY scripts ./scripts
COPY src ./src
RUN npm run build

FROM node:24.14.0-bookworm-slim AS dependencies
WORKDIR /build
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts --omit=dev

FROM node:24.14.0-bookworm-slim
# Node brings its own certificate authorities; the worker's native part uses the system's.
RUN apt-get update \
  && apt-get install --yes --no-install-recommends ca-certificates \
  && rm -rf /var/lib/apt/lists/*
ENV NODE_ENV=production
WORKDIR /opt/holdfast
COPY --from=dependencies /build/node_modules ./node_modules
COPY --from=build /build/dist ./dist
COPY package.json LICENSE ./
USER node
EXPOSE 8080 8234
ENTRYPOINT ["node", "/opt/holdfast/dist/cli/holdfast.js"]
# Of `server`, on the port that deploy/holdfast.json gives it; other commands name their own check.
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s --retries=4 \
  CMD ["node", "-e", "fetch('http://127.0.0.1:8080/health').then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
