import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cruise, type ICruiseOptions, type ICruiseResult } from 'dependency-cruiser';
import { afterEach, describe, expect, it } from 'vitest';
import { sharedWorkflowBundle } from './support/temporal.js';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const config = createRequire(import.meta.url)('../.dependency-cruiser.cjs') as {
  forbidden: NonNullable<ICruiseOptions['ruleSet']>['forbidden'];
  options: ICruiseOptions;
};

/** The broken rules of a tree, each as "rule: from → to". */
async function violationsIn(baseDir: string): Promise<string[]> {
  const { tsConfig: _, ...options } = config.options as ICruiseOptions & { tsConfig: unknown };
  const rules = { forbidden: config.forbidden } as NonNullable<ICruiseOptions['ruleSet']>;
  const { output } = await cruise(['src'], { ...options, baseDir, validate: true, ruleSet: rules });
  const { violations } = (output as ICruiseResult).summary;
  return violations.map(({ rule, from, to }) => `${rule.name}: ${from} → ${to}`);
}

describe('the sources', () => {
  it('import only what their folder may import', { timeout: 120_000 }, async () => {
    expect(await violationsIn(ROOT)).toEqual([]);
  });
});

describe('an import that is not allowed', () => {
  let folder = '';

  afterEach(async () => {
    await rm(folder, { recursive: true, force: true });
  });

  async function treeOf(files: Record<string, string>): Promise<string> {
    folder = await mkdtemp(join(tmpdir(), 'holdfast-architecture-'));
    await cp(join(ROOT, 'package.json'), join(folder, 'package.json'));
    for (const [path, content] of Object.entries(files)) {
      await mkdir(dirname(join(folder, path)), { recursive: true });
      await writeFile(join(folder, path), content);
    }
    return folder;
  }

  it.each<[rule: string, from: string, statement: string, target: string]>([
    ['domain-imports', 'domain/money.ts', `import '../store/rows.js'`, 'store/rows.ts'],
    ['domain-imports', 'domain/money.ts', `import 'node:path'`, ''],
    [
      'workflows-imports',
      'workflows/pay.ts',
      `import '../providers/provider.js'`,
      'providers/provider.ts',
    ],
    [
      'workflows-see-activity-types-only',
      'workflows/pay.ts',
      `import { send } from '../activities/send.js'`,
      'activities/send.ts',
    ],
    [
      'activities-imports',
      'activities/send.ts',
      `import '../client/client.js'`,
      'client/client.ts',
    ],
    [
      'activities-imports',
      'activities/send.ts',
      `import '../providers/one/wire.js'`,
      'providers/one/wire.ts',
    ],
    ['provider-imports', 'providers/one/one.ts', `import '../two/two.js'`, 'providers/two/two.ts'],
    [
      'provider-contract-knows-no-provider',
      'providers/provider.ts',
      `import './one/one.js'`,
      'providers/one/one.ts',
    ],
    ['one-home-of-hashing', 'store/rows.ts', `import 'node:crypto'`, ''],
    ['one-home-of-hashing', 'http/door.ts', `import 'crypto'`, ''],
    ['http-imports', 'http/door.ts', `import '../workflows/contract.js'`, 'workflows/contract.ts'],
    ['http-imports', 'http/door.ts', `import '../transport/jws.js'`, 'transport/jws.ts'],
    ['client-imports', 'client/client.ts', `import '../workflows/pay.js'`, 'workflows/pay.ts'],
    [
      'sandbox-imports',
      'sandbox/one.ts',
      `import '../providers/one/one.js'`,
      'providers/one/one.ts',
    ],
    ['roots-are-not-imported', 'store/rows.ts', `import '../workers/main.js'`, 'workers/main.ts'],
    ['cli-is-the-outermost', 'workers/main.ts', `import '../cli/holdfast.js'`, 'cli/holdfast.ts'],
    [
      'temporal-servers-are-for-the-roots',
      'config.ts',
      `import './temporal/resolve.js'`,
      'temporal/resolve.ts',
    ],
  ])('is caught by %s: %s with %s', async (rule, from, statement, target) => {
    const files = { [`src/${from}`]: `${statement};\n` };
    if (target !== '') files[`src/${target}`] = 'export const send = 1;\n';
    const violations = await violationsIn(await treeOf(files));
    expect(violations.filter((line) => line.startsWith(`${rule}: src/${from} → `))).toHaveLength(1);
  });

  it('is caught where it closes a circle', async () => {
    const tree = await treeOf({
      'src/domain/a.ts': `import { b } from './b.js';\nexport const a = b;\n`,
      'src/domain/b.ts': `import { a } from './a.js';\nexport const b = a;\n`,
    });
    expect(await violationsIn(tree)).toContain('no-circles: src/domain/a.ts → src/domain/b.ts');
  });

  it('is not seen in what the rules allow', async () => {
    const tree = await treeOf({
      'src/domain/money.ts': 'export type Money = string;\n',
      'src/workflows/contract.ts': `import type { Money } from '../domain/money.js';\nexport type A = Money;\n`,
      'src/workflows/pay.ts': `import type { send } from '../activities/send.js';\nexport type S = typeof send;\n`,
      'src/activities/send.ts': `import { one } from '../providers/one/one.js';\nimport type { A } from '../workflows/contract.js';\nexport const send: A = one;\n`,
      'src/providers/one/one.ts': `import type { Money } from '../../domain/money.js';\nexport const one: Money = '';\n`,
    });
    expect(await violationsIn(tree)).toEqual([]);
  });
});

// What a workflow imports, even in passing, ends in its bundle: so the bundle is the proof.
describe('the workflow bundle', () => {
  it.each(['payconiq', 'pay.?tech', 'paymenticon', 'payonic', 'milkypay'])(
    'knows no provider: %s',
    async (name) => {
      const sources = await bundledSources();
      const mentions = ours(sources).filter(([, code]) => new RegExp(name, 'i').test(code));
      expect(mentions.map(([path]) => path)).toEqual([]);
    },
  );

  it.each(['zod', 'undici', 'jose', 'pino', 'kysely', 'pg', 'fastify'])(
    'holds nothing of the package %s',
    async (name) => {
      const paths = (await bundledSources()).map(([path]) => path);
      expect(paths.filter((path) => path.includes(`node_modules/${name}/`))).toEqual([]);
    },
  );

  it('does not read the environment', async () => {
    const readers = ours(await bundledSources()).filter(([, code]) =>
      /process\s*\.\s*env/.test(code),
    );
    expect(readers.map(([path]) => path)).toEqual([]);
  });

  it('holds the workflows and the domain, and nothing else of ours', async () => {
    const paths = ours(await bundledSources()).map(([path]) => path);
    const folders = new Set(paths.map((path) => /src\/([^/]+)\//.exec(path)?.[1]));
    expect([...folders].sort()).toEqual(['codec', 'domain', 'workflows']);
  });
});

type Source = readonly [path: string, code: string];

/** Each source in the bundle with its text, as the bundle's own source map lists them. */
async function bundledSources(): Promise<Source[]> {
  const { codePath } = await sharedWorkflowBundle();
  const bundle = await readFile(codePath, 'utf8');
  const encoded = /sourceMappingURL=data:[^,]*;base64,(\S+)\s*$/.exec(bundle)?.[1];
  const map = JSON.parse(Buffer.from(encoded ?? '', 'base64').toString()) as {
    sources: string[];
    sourcesContent: string[];
  };
  return map.sources.map((path, index) => [path, map.sourcesContent[index] ?? '']);
}

function ours(sources: readonly Source[]): Source[] {
  const own = sources.filter(([path]) => path.includes('src/') && !path.includes('node_modules'));
  expect(own.length).toBeGreaterThan(0);
  return own;
}
