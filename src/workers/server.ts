/** The composition of a server process: API, notification door and dispatcher. */
import type { HoldfastClient } from '../client/client.js';
import { TIMING } from '../domain/timing.js';
import { startCodecServer, type CodecServer } from '../codec/codec-server.js';
import { createDispatcher } from '../http/dispatcher.js';
import { createServer } from '../http/server.js';
import type { Store } from '../store/store.js';
import { connectClient, type Foundation } from './foundation.js';
import type { Logger } from './logger.js';
import { VERSION } from './version.js';

const HOUR_MS = 3_600_000;
/** How long the answer to an Idempotency-Key is kept. */
const REQUESTS_KEPT_MS = 7 * 24 * HOUR_MS;

export interface RunningServer {
  readonly url: string;
  /** Of the codec server for the Temporal UI, where one is configured. */
  readonly codecUrl: string | undefined;
  readonly client: HoldfastClient;
  /** Answers what it has taken, then stops. */
  stop(): Promise<void>;
}

/** @throws OpenServerError when it would serve strangers without API keys */
export async function startServer(foundation: Foundation, logger: Logger): Promise<RunningServer> {
  const { config, store, connections, now } = foundation;
  const timing = TIMING[config.timing];
  const { client, connection } = await connectClient(foundation);
  const { apiKeys } = config;
  const server = await createServer({
    client,
    store,
    connections,
    timing,
    logger,
    now,
    apiKeys,
    version: VERSION,
  });
  const codec = await startCodec(foundation);
  const dispatcher = createDispatcher({ store, client, timing, logger });
  const housekeeping = setInterval(() => void forgetOldRequests(store, logger), HOUR_MS);
  housekeeping.unref();
  const stop = async (): Promise<void> => {
    clearInterval(housekeeping);
    await dispatcher.stop();
    await server.close();
    await codec?.stop();
    await connection.close();
  };
  try {
    const url = await server.listen(config.http);
    dispatcher.start();
    return { url, codecUrl: codec?.url, client, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

function startCodec({ config, keys: ring }: Foundation): Promise<CodecServer | undefined> {
  const codec = config.encryption?.codec;
  return codec ? startCodecServer({ ring, ...codec }) : Promise.resolve(undefined);
}

/** Payments outlive it: their ids derive from the key, so a later repeat meets the same payment. */
async function forgetOldRequests(store: Store, logger: Logger): Promise<void> {
  try {
    await store.requests.purge(REQUESTS_KEPT_MS);
  } catch (error) {
    logger.warn({ err: error }, 'old API requests are not forgotten yet');
  }
}
