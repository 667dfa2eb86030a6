// Who may import whom. One line per folder: what is not listed here is refused.
// Paths are regular expressions; `npm(…)` stands for installed packages, `node(…)` for Node's own modules.
const { builtinModules } = require('node:module');

const npm = (...names) => `node_modules/(${names.join('|')})/`;
const node = (names) => `^(node:)?(${names.join('|')})$`;

const DIGEST = '^src/transport/digest\\.ts$';
const PROVIDER_DOORS = '^src/providers/([^/]+\\.ts|([^/]+)/\\2\\.ts)$';
// Hashing has one home and so has the wire; the rest of Node is open to whoever may use Node at all.
const HTTP = ['http', 'https', 'http2'];
const NODE_AND_HTTP = node(builtinModules.filter((name) => name !== 'crypto'));
const NODE = node(builtinModules.filter((name) => ![...HTTP, 'crypto'].includes(name)));

const MAY_IMPORT = {
  domain: [],
  workflows: [
    '^src/domain/',
    '^src/activities/',
    npm('@temporalio/workflow', '@temporalio/common'),
  ],
  activities: [
    '^src/domain/',
    '^src/store/',
    '^src/workflows/contract\\.ts$',
    PROVIDER_DOORS,
    DIGEST,
    npm('@temporalio/activity', '@temporalio/common'),
  ],
  transport: ['^src/domain/', npm('undici', 'jose', 'zod'), node(builtinModules)],
  store: [
    '^src/domain/',
    '^src/transport/(digest|seal|keyring)\\.ts$',
    npm('pg', '@types/pg', 'kysely', '@electric-sql/pglite'),
    NODE,
  ],
  client: [
    '^src/domain/',
    '^src/workflows/contract\\.ts$',
    '^src/codec/payload-codec\\.ts$',
    '^src/transport/keyring\\.ts$',
    DIGEST,
    npm('@temporalio/client', '@temporalio/common', '@grpc/grpc-js', 'zod'),
    NODE,
  ],
  http: [
    '^src/domain/',
    '^src/client/',
    '^src/store/',
    PROVIDER_DOORS,
    DIGEST,
    npm('fastify', '@fastify/[^/]+', 'fastify-type-provider-zod', '@scalar/[^/]+', 'zod', 'pino'),
    NODE_AND_HTTP,
  ],
  sandbox: [
    '^src/domain/',
    '^src/transport/(jws|jwks|certificates|digest)\\.ts$',
    npm('fastify', 'zod'),
    NODE_AND_HTTP,
  ],
  codec: [
    '^src/domain/',
    '^src/transport/(seal|keyring|digest)\\.ts$',
    '^src/http/(access|answers|not-found|problems)\\.ts$',
    npm('@temporalio/common', '@temporalio/proto', 'fastify', 'zod'),
    NODE,
  ],
  temporal: [
    DIGEST,
    npm('@temporalio/client', '@temporalio/common', '@temporalio/testing', '@temporalio/proto'),
    NODE,
  ],
};

// The composition roots: they import everything, but what has one home stays there.
const ROOTS = '^src/(workers|cli)/';

function folderRule([folder, allowed]) {
  return {
    name: `${folder}-imports`,
    comment: `src/${folder} imports only what .dependency-cruiser.cjs lists for it.`,
    severity: 'error',
    from: { path: `^src/${folder}/` },
    to: { pathNot: [`^src/${folder}/`, ...allowed] },
  };
}

function onlyFrom(name, homes, path) {
  return {
    name,
    comment: `Only ${homes.join(', ')} may import this.`,
    severity: 'error',
    from: { path: '^src/', pathNot: homes },
    to: { path },
  };
}

module.exports = {
  forbidden: [
    ...Object.entries(MAY_IMPORT).map(folderRule),
    {
      name: 'provider-imports',
      comment:
        'A provider knows the domain, the contract, transport and zod; never another provider.',
      severity: 'error',
      from: { path: '^src/providers/([^/]+)/' },
      to: {
        pathNot: [
          '^src/providers/$1/',
          '^src/providers/provider\\.ts$',
          '^src/domain/',
          '^src/transport/',
          npm('zod', 'uqr'),
          node(['zlib']),
        ],
      },
    },
    {
      name: 'provider-contract-imports',
      comment: 'The files beside the providers see domain, transport and the front doors.',
      severity: 'error',
      from: { path: '^src/providers/[^/]+\\.ts$' },
      to: { pathNot: [PROVIDER_DOORS, '^src/domain/', '^src/transport/', npm('zod')] },
    },
    {
      name: 'provider-contract-knows-no-provider',
      severity: 'error',
      from: { path: '^src/providers/provider\\.ts$' },
      to: { path: '^src/providers/[^/]+/' },
    },
    {
      name: 'config-imports',
      comment: 'Configuration is read before anything is connected.',
      severity: 'error',
      from: { path: '^src/config\\.ts$' },
      to: {
        pathNot: [
          '^src/domain/',
          PROVIDER_DOORS,
          DIGEST,
          '^src/transport/keyring\\.ts$',
          npm('zod'),
          NODE,
        ],
      },
    },
    {
      name: 'workflows-see-activity-types-only',
      severity: 'error',
      from: { path: '^src/workflows/' },
      to: { path: '^src/activities/', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'roots-are-not-imported',
      severity: 'error',
      from: { path: '^src/', pathNot: ROOTS },
      to: { path: ROOTS },
    },
    {
      name: 'cli-is-the-outermost',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/cli/' },
      to: { path: '^src/cli/' },
    },
    onlyFrom('one-home-of-the-wire', ['^src/transport/'], npm('undici', 'jose')),
    onlyFrom('one-home-of-hashing', ['^src/transport/'], node(['crypto'])),
    onlyFrom(
      'one-home-of-temporal-clients',
      ['^src/client/', '^src/temporal/', ROOTS],
      npm('@temporalio/client'),
    ),
    onlyFrom(
      'one-home-of-temporal-workers',
      ['^src/temporal/', ROOTS],
      npm('@temporalio/worker', '@temporalio/testing'),
    ),
    onlyFrom('temporal-servers-are-for-the-roots', ['^src/temporal/', ROOTS], '^src/temporal/'),
    {
      name: 'no-circles',
      severity: 'error',
      from: { path: '^src/' },
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'nothing-unresolved',
      severity: 'error',
      from: { path: '^src/' },
      to: { couldNotResolve: true },
    },
    {
      name: 'no-development-package',
      comment: 'What the product runs on stands in "dependencies".',
      severity: 'error',
      from: { path: '^src/' },
      to: {
        dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'],
        dependencyTypesNot: ['type-only'],
        pathNot: 'node_modules/@types/',
      },
    },
    {
      name: 'product-does-not-know-its-tests',
      severity: 'error',
      from: { path: '^src/' },
      to: { path: '^(test|bench|scripts)/' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
    },
  },
};
