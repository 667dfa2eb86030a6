/** The simulated providers that `holdfast dev` and the demo run against. */
import type { ConnectionSettings } from '../providers/connections.js';
import { startPayconiqSandbox, type PayconiqSandbox } from '../sandbox/payconiq/sandbox.js';

export interface Sandboxes {
  /** A terminal in a shop: void is enabled, so payments wait for our acknowledge. */
  readonly terminal: PayconiqSandbox;
  /** A web shop: hosted checkout page, no void. */
  readonly online: PayconiqSandbox;
  readonly connections: readonly ConnectionSettings[];
  /** The provider behind one of the connections. */
  sandboxOf(connectionId: string): PayconiqSandbox;
  close(): Promise<void>;
}

const TERMINAL = 'payconiq-terminal';
const ONLINE = 'payconiq-online';

export async function startSandboxes(ports: {
  readonly terminal: number;
  readonly online: number;
}): Promise<Sandboxes> {
  const terminal = await startPayconiqSandbox({ port: ports.terminal, voidSupport: true });
  const online = await startPayconiqSandbox({ port: ports.online, product: 'online' });
  return {
    terminal,
    online,
    connections: [
      payconiqConnection(TERMINAL, terminal, { voidSupport: true }),
      payconiqConnection(ONLINE, online, { product: 'online' }),
    ],
    sandboxOf: (connectionId) => (connectionId === ONLINE ? online : terminal),
    async close() {
      await Promise.all([terminal.close(), online.close()]);
    },
  };
}

function payconiqConnection(
  id: string,
  sandbox: PayconiqSandbox,
  settings: Record<string, unknown>,
): ConnectionSettings {
  const { url: apiBaseUrl, jwksUrl, profileId, merchantId, apiKey } = sandbox;
  return {
    id,
    provider: 'payconiq',
    settings: {
      apiBaseUrl,
      jwksUrl,
      portalUrl: apiBaseUrl,
      profileId,
      merchantId,
      apiKey,
      ...settings,
    },
  };
}
