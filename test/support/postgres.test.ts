import pg from 'pg';
import { describe, expect, it } from 'vitest';
import { createDatabase, sharedPostgres, startPrivatePostgres } from './postgres.js';

async function ask(url: string, statement: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(statement)).rows;
  } finally {
    await client.end();
  }
}

const shared = await sharedPostgres();

describe.runIf(shared !== undefined)('PostgreSQL for tests', () => {
  it('gives each caller an empty database of its own', async () => {
    const [one, other] = [await createDatabase(shared!.url), await createDatabase(shared!.url)];
    await ask(one.url, 'create table kept (id int)');
    await expect(ask(other.url, 'select * from kept')).rejects.toThrow('does not exist');
    await Promise.all([one.drop(), other.drop()]);
    await expect(ask(one.url, 'select 1')).rejects.toThrow('does not exist');
  });

  it('loses nothing committed when it is killed and started again', async () => {
    const server = await startPrivatePostgres();
    if (server === undefined) throw new Error('the shared server is a foreign one');
    await ask(server.url, 'create table kept as select 7 as id');
    await server.kill9();
    await expect(ask(server.url, 'select 1')).rejects.toThrow('ECONNREFUSED');
    await server.start();
    expect(await ask(server.url, 'select id from kept')).toEqual([{ id: 7 }]);
    await server.stop();
    await expect(ask(server.url, 'select 1')).rejects.toThrow('ECONNREFUSED');
  });
});
