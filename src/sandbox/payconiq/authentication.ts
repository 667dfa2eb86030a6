import { constantTimeEqual } from '../../transport/digest.js';
import { generateSigningKey, verifyDetached } from '../../transport/jws.js';
import type { KeySource, VerifiedHeader } from '../../transport/jws.js';
import { ApiError } from './answer.js';
import { CRITICAL_CLAIMS, claim, providerClaims, signAs } from './signing-keys.js';
import type { SigningKeys } from './signing-keys.js';

const UTC_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?Z$/;

/**
 * - `when_signed`: answers to requests with a valid signature, as documented.
 * - `always` | `never`: whatever the request had.
 * - `broken`: as `when_signed`, with a key that is not the published one.
 */
export type ResponseSignature = 'when_signed' | 'always' | 'never' | 'broken';

export interface IncomingRequest {
  readonly path: string;
  /** `path` with its query. */
  readonly target: string;
  readonly authorization: string | undefined;
  readonly signature: string | undefined;
  readonly body: Uint8Array;
}

export interface Caller {
  /** The merchant: payments belong to it. */
  readonly owner: string;
  readonly isSigned: boolean;
}

export interface AuthenticationOptions {
  readonly profileId: string;
  readonly merchantId: string;
  readonly baseUrl: () => string;
  readonly apiKeys: {
    readonly own: readonly string[];
    /** Valid keys without authority over this resource: 403. */
    readonly restricted: readonly string[];
    /** Keys of another merchant. */
    readonly foreign: readonly string[];
  };
  /** Undefined: no signed request is accepted. */
  readonly merchantKeys: KeySource | undefined;
}

export interface Authentication {
  /** @throws ApiError UNAUTHORIZED or ACCESS_DENIED */
  authenticate(request: IncomingRequest): Promise<Caller>;
}

/** @see payconiq.txt L367-380, L11808-11957 */
export function createAuthentication(options: AuthenticationOptions): Authentication {
  const seenIds = new Set<string>();

  const authenticate = (request: IncomingRequest): Promise<Caller> | Caller =>
    request.signature === undefined
      ? callerByKey(options, request.authorization)
      : callerBySignature(request, request.signature);

  const callerBySignature = async (request: IncomingRequest, jws: string): Promise<Caller> => {
    if (options.merchantKeys === undefined) throw unauthorized('No key set of the merchant');
    const result = await verifyDetached({
      jws,
      payload: request.body,
      keys: options.merchantKeys,
      algorithms: ['ES256'],
      requiredCrit: CRITICAL_CLAIMS,
    });
    if (result.kind !== 'valid') throw unauthorized(`Signature: ${result.reason}`);
    const problem = claimProblem(result.header, request, options);
    if (problem !== undefined) throw unauthorized(`Signature: ${problem}`);
    const id = result.header[claim('jti')] as string;
    if (seenIds.has(id)) throw unauthorized('Signature: "jti" was used before');
    seenIds.add(id);
    return { owner: options.merchantId, isSigned: true };
  };

  return { authenticate: async (request) => authenticate(request) };
}

export interface ResponseSigner {
  /** The Signature header of an answer, or none. */
  sign(answer: {
    readonly isRequestSigned: boolean;
    readonly path: string;
    readonly body: Uint8Array;
  }): Promise<Record<string, string>>;
  mode: ResponseSignature;
}

export function createResponseSigner(options: {
  readonly keys: SigningKeys;
  readonly profileId: string;
  readonly now: () => number;
  readonly mode: ResponseSignature;
}): ResponseSigner {
  const signer: ResponseSigner = {
    mode: options.mode,
    sign: async ({ isRequestSigned, path, body }) => {
      const isDue = signer.mode === 'always' || (isRequestSigned && signer.mode !== 'never');
      if (!isDue) return {};
      const genuine = options.keys.current();
      const key = signer.mode === 'broken' ? await generateSigningKey(genuine.kid) : genuine;
      const header = providerClaims({ subject: options.profileId, path, at: options.now() });
      return { signature: await signAs(key, { header, payload: body }) };
    },
  };
  return signer;
}

function callerByKey(options: AuthenticationOptions, authorization = ''): Caller {
  const [, given = ''] = /^Bearer (\S+)$/.exec(authorization) ?? [];
  const isAmong = (keys: readonly string[]): boolean =>
    keys.some((key) => constantTimeEqual(key, given));
  if (isAmong(options.apiKeys.own)) return { owner: options.merchantId, isSigned: false };
  if (isAmong(options.apiKeys.foreign))
    return { owner: `not ${options.merchantId}`, isSigned: false };
  if (isAmong(options.apiKeys.restricted)) {
    throw new ApiError('ACCESS_DENIED', 'The API key lacks the authority for this resource');
  }
  throw unauthorized('The API key is missing or incorrect');
}

function claimProblem(
  header: VerifiedHeader,
  { path, target }: IncomingRequest,
  { merchantId, profileId, baseUrl }: AuthenticationOptions,
): string | undefined {
  const text = (name: Parameters<typeof claim>[0]): string => {
    const value = header[claim(name)];
    return typeof value === 'string' ? value : '';
  };
  const paths = [path, target, baseUrl() + path, baseUrl() + target];
  if (text('iss') !== merchantId) return '"iss" is not the merchant id';
  if (text('sub') !== profileId) return '"sub" is not the profile id';
  if (!paths.includes(text('path'))) return '"path" is not the path of the request';
  if (text('jti') === '') return '"jti" is empty';
  if (!UTC_TIME.test(text('iat'))) return '"iat" is not a time in UTC';
  return undefined;
}

function unauthorized(message: string): ApiError {
  return new ApiError('UNAUTHORIZED', message);
}
