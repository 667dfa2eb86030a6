import {
  FlattenedSign,
  errors,
  exportJWK,
  flattenedVerify,
  generateKeyPair,
  importJWK,
  importPKCS8,
} from 'jose';
import type { CryptoKey, JWK } from 'jose';
import { canonicalPrivateKey } from './certificates.js';

/** The only algorithm this module signs or accepts. */
export const JWS_ALGORITHM = 'ES256';

const MAX_JWS_LENGTH = 16 * 1024;

/** An ES256 key, private or public, imported and ready for use. */
export type SignatureKey = CryptoKey;

/** A public ES256 key as it stands in a published key set. */
export interface PublicJwk {
  readonly kty: 'EC';
  readonly crv: 'P-256';
  readonly x: string;
  readonly y: string;
  readonly kid: string;
  readonly use: 'sig';
  readonly alg: 'ES256';
  /** Certificates in base64 DER, that of this key first. */
  readonly x5c?: readonly string[];
}

export interface SigningKeyPair {
  readonly kid: string;
  readonly privateKey: SignatureKey;
  readonly publicJwk: PublicJwk;
}

/** Where a private key comes from: PKCS#8 PEM text, or a private EC P-256 JWK. */
export type PrivateKeySource = { readonly pem: string } | { readonly jwk: object };

/**
 * What a key source knows of a key id.
 * - `found`: this key, at present.
 * - `unknown`: proven not to be in the key set as it stands after the question was asked.
 * - `unavailable`: cannot be told at present, through no fault of the signature.
 */
export type KeyLookup =
  | { readonly kind: 'found'; readonly key: SignatureKey }
  | { readonly kind: 'unknown' }
  | { readonly kind: 'unavailable'; readonly reason: string };

export interface KeySource {
  find(kid: string): Promise<KeyLookup>;
}

export interface DetachedSignature {
  readonly key: SignatureKey;
  readonly kid: string;
  readonly typ: string;
  /** Header parameters beside alg, typ, kid and crit. */
  readonly header: Readonly<Record<string, string>>;
  /** Names in `header` that a verifier has to understand. */
  readonly crit: readonly string[];
  readonly payload: Uint8Array;
}

export interface DetachedVerification {
  readonly jws: string;
  readonly payload: Uint8Array;
  readonly keys: KeySource;
  readonly algorithms: readonly 'ES256'[];
  /** Names that must be listed in `crit` and be present in the protected header. */
  readonly requiredCrit: readonly string[];
}

/** The protected header of a signature that holds; values are as signed, their types unproven. */
export type VerifiedHeader = Readonly<Record<string, unknown>>;

/**
 * - `valid`: this payload was signed under this header by a key of the key source.
 * - `forged`: proven that it was not, or not as required. Repeating it cannot help.
 * - `unverifiable`: it cannot be told at present; the sender should be asked to repeat it.
 */
export type VerifyResult =
  | { readonly kind: 'valid'; readonly header: VerifiedHeader }
  | { readonly kind: 'forged'; readonly reason: string }
  | { readonly kind: 'unverifiable'; readonly reason: string };

type Forged = Extract<VerifyResult, { kind: 'forged' }>;
const forged = (reason: string): Forged => ({ kind: 'forged', reason });

/**
 * Signs with ES256 over `b64(header).b64(payload)` and leaves the payload out:
 * `b64(header)..b64(signature)` (RFC 7515 appendix F, without the b64 header).
 *
 * @throws RangeError when a name in `crit` is not in `header`
 * @see payconiq.txt L543-598, L11820-11893
 */
export async function signDetached(input: DetachedSignature): Promise<string> {
  const absent = input.crit.find((name) => !Object.hasOwn(input.header, name));
  if (absent !== undefined) throw new RangeError(`"crit" names "${absent}", the header lacks it`);
  const signed = await new FlattenedSign(input.payload)
    .setProtectedHeader({
      ...input.header,
      typ: input.typ,
      kid: input.kid,
      alg: JWS_ALGORITHM,
      crit: [...input.crit],
    })
    .sign(input.key, { crit: understood(input.crit) });
  return `${signed.protected ?? ''}..${signed.signature}`;
}

/**
 * Verifies a detached JWS, fail closed: whatever is not proven valid is forged or unverifiable.
 * The claims in the header (path, issuer, …) are the caller's to compare.
 *
 * @see payconiq.txt L600-641, L12112-12147
 */
export async function verifyDetached(input: DetachedVerification): Promise<VerifyResult> {
  const parsed = parseDetached(input.jws);
  if ('kind' in parsed) return parsed;
  const { header, encodedHeader, signature } = parsed;
  const violation = headerViolation(header, input);
  if (violation !== undefined) return forged(violation);
  const lookup = await input.keys.find(header['kid'] as string);
  if (lookup.kind === 'unknown') return forged('signed with a key that is not in the key set');
  if (lookup.kind === 'unavailable') return { kind: 'unverifiable', reason: lookup.reason };
  const failure = await signatureFailure(lookup.key, header['crit'] as string[], {
    protected: encodedHeader,
    payload: Buffer.from(input.payload).toString('base64url'),
    signature,
  });
  if (failure !== undefined) return failure;
  const extra = (header['crit'] as string[]).find((name) => !input.requiredCrit.includes(name));
  if (extra === undefined) return { kind: 'valid', header };
  return { kind: 'unverifiable', reason: `critical header "${extra}" is not understood` };
}

/** The protected header of a detached JWS, believed by nobody yet; undefined if it has none. */
export function peekHeader(jws: string): VerifiedHeader | undefined {
  const parsed = parseDetached(jws);
  return 'kind' in parsed ? undefined : parsed.header;
}

/**
 * Imports a private ES256 key; it stays exportable, so that its public part can be published.
 *
 * @throws Error when the source is no private P-256 key
 */
export async function importPrivateKey(source: PrivateKeySource): Promise<SignatureKey> {
  if ('pem' in source) {
    const pem = canonicalPrivateKey(source.pem);
    return importPKCS8(pem, JWS_ALGORITHM, { extractable: true });
  }
  const key = await importJWK(source.jwk as JWK, JWS_ALGORITHM, { extractable: true });
  if (key instanceof Uint8Array || key.type !== 'private') throw new Error('not a private key');
  return key;
}

/**
 * Imports a public ES256 key.
 *
 * @throws Error when `jwk` is no valid P-256 point
 */
export async function importPublicJwk(jwk: object): Promise<SignatureKey> {
  const { kty, crv, x, y } = jwk as Partial<PublicJwk>;
  const key = await importJWK({ kty, crv, x, y } as JWK, JWS_ALGORITHM);
  if (key instanceof Uint8Array) throw new Error('not an elliptic curve key');
  return key;
}

/** The public part of an exportable ES256 key, as it is published in a key set. */
export async function publicJwkOf(key: SignatureKey, kid: string): Promise<PublicJwk> {
  const { x, y, crv } = await exportJWK(key);
  if (crv !== 'P-256' || typeof x !== 'string' || typeof y !== 'string') {
    throw new Error('not a P-256 key');
  }
  return { kty: 'EC', crv, x, y, kid, use: 'sig', alg: JWS_ALGORITHM };
}

/** A new ES256 key pair with its public JWK. */
export async function generateSigningKey(kid: string): Promise<SigningKeyPair> {
  const { privateKey } = await generateKeyPair(JWS_ALGORITHM, { extractable: true });
  return { kid, privateKey, publicJwk: await publicJwkOf(privateKey, kid) };
}

interface ParsedDetached {
  readonly header: Record<string, unknown>;
  readonly encodedHeader: string;
  readonly signature: string;
}

function parseDetached(jws: string): ParsedDetached | Forged {
  if (jws.length > MAX_JWS_LENGTH) return forged('signature is too long');
  const match = /^([\w-]+)\.\.([\w-]+)$/.exec(jws);
  if (match === null) return forged('not a detached compact JWS');
  const [, encodedHeader = '', signature = ''] = match;
  const header = parseObject(Buffer.from(encodedHeader, 'base64url').toString('utf8'));
  if (header === undefined) return forged('protected header is not a JSON object');
  return { header, encodedHeader, signature };
}

function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
    return value as Record<string, unknown>;
  } catch {
    return undefined;
  }
}

function headerViolation(
  header: Record<string, unknown>,
  { algorithms, requiredCrit }: DetachedVerification,
): string | undefined {
  const { alg, kid, crit } = header;
  if (!algorithms.some((allowed) => allowed === alg)) return '"alg" is not allowed';
  if (typeof kid !== 'string' || kid === '') return '"kid" is missing';
  if (Object.hasOwn(header, 'b64')) return '"b64" is not allowed';
  if (!Array.isArray(crit) || !crit.every((name) => typeof name === 'string')) {
    return '"crit" is not a list of names';
  }
  const unlisted = requiredCrit.find((name) => !crit.includes(name));
  if (unlisted !== undefined) return `"crit" does not name "${unlisted}"`;
  const absent = crit.find((name) => !Object.hasOwn(header, name));
  if (absent !== undefined) return `"crit" names "${absent}", the header lacks it`;
  return undefined;
}

async function signatureFailure(
  key: SignatureKey,
  crit: readonly string[],
  jws: { readonly protected: string; readonly payload: string; readonly signature: string },
): Promise<VerifyResult | undefined> {
  try {
    await flattenedVerify(jws, key, { algorithms: [JWS_ALGORITHM], crit: understood(crit) });
    return undefined;
  } catch (error) {
    if (error instanceof errors.JWSSignatureVerificationFailed) {
      return forged('signature does not match');
    }
    if (error instanceof errors.JOSEError) return forged('not a well-formed JWS');
    return { kind: 'unverifiable', reason: 'the key cannot be used' };
  }
}

/** jose wants each name of `crit` to be declared; `true` demands that it is in the signed header. */
function understood(names: readonly string[]): Record<string, boolean> {
  return Object.fromEntries(names.map((name) => [name, true]));
}
