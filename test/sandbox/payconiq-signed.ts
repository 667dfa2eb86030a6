import { CRITICAL_CLAIMS } from '../../src/sandbox/payconiq/signing-keys.js';
import type { PayconiqSandboxOptions } from '../../src/sandbox/payconiq/options.js';
import { randomToken } from '../../src/transport/digest.js';
import { generateSigningKey, signDetached } from '../../src/transport/jws.js';
import type { SigningKeyPair } from '../../src/transport/jws.js';
import { CLAIM, call, sandbox, start } from './payconiq-harness.js';
import type { Call, Reply } from './payconiq-harness.js';

let pair: SigningKeyPair;

/** Starts a sandbox that knows the key of this file's requests. */
export async function startSigned(options: PayconiqSandboxOptions = {}): Promise<void> {
  pair ??= await generateSigningKey('merchant-1');
  await start({ merchantKeys: { keys: [pair.publicJwk] }, ...options });
}

/** A request as `call` makes it, signed in the place of the API key. */
export async function signed(path: string, { headers, ...asked }: Call = {}): Promise<Reply> {
  const { body } = asked;
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const signature = await signDetached({
    key: pair.privateKey,
    kid: pair.kid,
    typ: 'jose+json',
    header: {
      [`${CLAIM}iat`]: new Date(sandbox.clock.now()).toISOString(),
      [`${CLAIM}jti`]: randomToken(12),
      [`${CLAIM}path`]: path,
      [`${CLAIM}iss`]: sandbox.merchantId,
      [`${CLAIM}sub`]: sandbox.profileId,
    },
    crit: CRITICAL_CLAIMS,
    payload: Buffer.from(text ?? ''),
  });
  return call(path, { ...asked, headers: { authorization: '', signature, ...headers } });
}

export const told = ({ status, json }: Reply): unknown[] => [status, json.code];
