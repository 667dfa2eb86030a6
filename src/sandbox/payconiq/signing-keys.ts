import { randomToken } from '../../transport/digest.js';
import { generateSigningKey, signDetached } from '../../transport/jws.js';
import type { PublicJwk, SigningKeyPair } from '../../transport/jws.js';
import { iso } from './render.js';

const CLAIMS = 'https://payconiq.com/';

/** The five claims that every signature carries and declares critical. @see payconiq.txt L566-590 */
export const CRITICAL_CLAIMS = ['sub', 'iss', 'iat', 'jti', 'path'].map((name) => CLAIMS + name);

export function claim(name: 'sub' | 'iss' | 'iat' | 'jti' | 'path'): string {
  return CLAIMS + name;
}

export interface ClaimsInput {
  readonly subject: string;
  readonly path: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

/** Fresh claims of a message that the provider sends. */
export function providerClaims({ subject, path, at }: ClaimsInput): Record<string, string> {
  return {
    [claim('sub')]: subject,
    [claim('iss')]: 'Payconiq',
    [claim('iat')]: iso(at),
    [claim('jti')]: randomToken(18),
    [claim('path')]: path,
  };
}

/** The provider's signing keys. The newest signs; those before it stay published until dropped. */
export interface SigningKeys {
  current(): SigningKeyPair;
  published(): { readonly keys: readonly PublicJwk[] };
  /** Publishes a new key and signs with it from now on. */
  rotate(): Promise<string>;
  /** Leaves only the newest key published. */
  dropOld(): void;
}

export async function createSigningKeys(): Promise<SigningKeys> {
  const make = (): Promise<SigningKeyPair> =>
    generateSigningKey(`es.signature.sandbox.${randomToken(6)}`);
  let current = await make();
  let published = [current];
  return {
    current: () => current,
    published: () => ({ keys: published.map(({ publicJwk }) => publicJwk) }),
    rotate: async () => {
      current = await make();
      published = [...published, current];
      return current.kid;
    },
    dropOld: () => void (published = [current]),
  };
}

export function signAs(
  { kid, privateKey }: SigningKeyPair,
  { header, payload }: { readonly header: Record<string, string>; readonly payload: Uint8Array },
): Promise<string> {
  const typ = 'jose+json';
  return signDetached({ key: privateKey, kid, typ, header, crit: CRITICAL_CLAIMS, payload });
}
