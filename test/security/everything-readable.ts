/** What somebody reads who has taken a database and the installation's keys. */
import { join } from 'node:path';
import { PGlite } from '@electric-sql/pglite';
import { Client, Connection } from '@temporalio/client';
import type { KeyRing } from '../../src/transport/keyring.js';
import { SealError, open, openPersonal, payerKeyRing } from '../../src/transport/seal.js';

export interface Dump {
  /** Every row of every table, as JSON; bytes in hexadecimal. */
  readonly rows: readonly string[];
  readonly payerKeys: readonly { readonly keyId: string; readonly sealedKey: Uint8Array }[];
  readonly personal: readonly string[];
  readonly bodies: readonly Uint8Array[];
}

/** Where bodies are sealed, and what for. */
const CONTEXTS = ['inbox-body', 'loyalty-content', 'loyalty-result'];
const SEALED_BODIES = `
  select body from inbox
  union all select content from loyalty_registrations
  union all select result from loyalty_registrations where result is not null`;

/** All that our database says, in the clear or not. */
export function readableInDump(dump: Dump, keys: KeyRing): string {
  const rings = [keys, ...dump.payerKeys.flatMap((row) => attempt(() => payerKeyRing(keys, row)))];
  const bodies = dump.bodies.flatMap((body) =>
    rings.flatMap((ring) =>
      CONTEXTS.flatMap((context) => attempt(() => text(open(ring, body, { context })))),
    ),
  );
  const personal = dump.personal.flatMap((ciphertext) =>
    dump.payerKeys.flatMap((row) =>
      attempt(() => openPersonal(keys, row, { keyId: row.keyId, ciphertext })),
    ),
  );
  return [...dump.rows, ...bodies, ...personal].join('\n');
}

/** Of an embedded store, which must not be open elsewhere. */
export async function dumpOf(directory: string): Promise<Dump> {
  const database = await PGlite.create({ dataDir: join(directory, 'pgdata') });
  const query = async <Row>(sql: string): Promise<Row[]> => (await database.query<Row>(sql)).rows;
  const tables = await query<{ name: string }>(
    `select table_name as name from information_schema.tables where table_schema = 'public'`,
  );
  const rows: string[] = [];
  for (const { name } of tables) {
    const found = await query<{ row: string }>(
      `select row_to_json(t)::text as row from "${name}" t`,
    );
    rows.push(...found.map(({ row }) => row));
  }
  const dump = {
    rows,
    payerKeys: await query<Dump['payerKeys'][number]>(
      `select key_id as "keyId", sealed_key as "sealedKey" from payers where sealed_key is not null`,
    ),
    personal: (
      await query<{ ciphertext: string }>(
        'select ciphertext from payer_payments where ciphertext is not null',
      )
    ).map(({ ciphertext }) => ciphertext),
    bodies: (await query<{ body: Uint8Array }>(SEALED_BODIES)).map(({ body }) => body),
  };
  await database.close();
  return dump;
}

/** All that Temporal keeps of a payment's workflow, decrypted. */
export async function readableInHistory(
  { address, workflowId }: { readonly address: string; readonly workflowId: string },
  keys: KeyRing,
): Promise<string> {
  const connection = await Connection.connect({ address });
  const { workflow } = new Client({ connection });
  const history = await workflow.getHandle(workflowId).fetchHistory();
  await connection.close();
  const sealed = sealedIn(history.events);
  return sealed.map((data) => text(open(keys, data, { context: 'temporal-payload' }))).join('\n');
}

function sealedIn(part: unknown): Uint8Array[] {
  if (typeof part !== 'object' || part === null || part instanceof Uint8Array) return [];
  const { metadata, data } = part as { metadata?: { encoding?: Uint8Array }; data?: unknown };
  const isSealed = metadata?.encoding && text(metadata.encoding) === 'binary/encrypted';
  if (isSealed && data instanceof Uint8Array) return [data];
  return Object.values(part).flatMap(sealedIn);
}

function text(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('utf8');
}

/** Nothing where the key does not fit. */
function attempt<Value>(work: () => Value): Value[] {
  try {
    return [work()];
  } catch (error) {
    if (error instanceof SealError) return [];
    throw error;
  }
}
