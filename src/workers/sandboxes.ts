/** The simulated providers that `holdfast dev` and the demo run against. */
import type { ConnectionSettings } from '../providers/connections.js';
import { startPayconiqSandbox, type PayconiqSandbox } from '../sandbox/payconiq/sandbox.js';
import { newPrivateKeyPem } from '../transport/certificates.js';
import { importPrivateKey, publicJwkOf } from '../transport/jws.js';

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
const SIGNING_KID = 'es.signature.sandbox';

/** The merchant's key, made at each start: refunds and reports are for signed requests only. */
interface Merchant {
  readonly signing: { readonly kid: string; readonly privateKeyPem: string };
  /** As the provider knows it. */
  readonly merchantKeys: object;
}

export async function startSandboxes(ports: {
  readonly terminal: number;
  readonly online: number;
}): Promise<Sandboxes> {
  const { signing, merchantKeys } = await newMerchant();
  const terminal = await startPayconiqSandbox({
    merchantKeys,
    port: ports.terminal,
    voidSupport: true,
  });
  const online = await startPayconiqSandbox({
    merchantKeys,
    port: ports.online,
    product: 'online',
  });
  return {
    terminal,
    online,
    connections: [
      payconiqConnection(TERMINAL, terminal, { signing, voidSupport: true }),
      payconiqConnection(ONLINE, online, { signing, product: 'online' }),
    ],
    sandboxOf: (connectionId) => (connectionId === ONLINE ? online : terminal),
    async close() {
      await Promise.all([terminal.close(), online.close()]);
    },
  };
}

async function newMerchant(): Promise<Merchant> {
  const signing = { kid: SIGNING_KID, privateKeyPem: newPrivateKeyPem() };
  const key = await importPrivateKey({ pem: signing.privateKeyPem });
  return { signing, merchantKeys: { keys: [await publicJwkOf(key, signing.kid)] } };
}

function payconiqConnection(
  id: string,
  sandbox: PayconiqSandbox,
  settings: Record<string, unknown>,
): ConnectionSettings {
  const { url: apiBaseUrl, jwksUrl, profileId, merchantId } = sandbox;
  return {
    id,
    provider: 'payconiq',
    settings: {
      apiBaseUrl,
      jwksUrl,
      portalUrl: apiBaseUrl,
      profileId,
      merchantId,
      ...settings,
    },
  };
}
