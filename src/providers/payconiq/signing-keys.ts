/** The merchant's own keys: which one signs now, and what of them is published (PCQ-18). */
import { z } from 'zod';
import {
  certificateProblem,
  isCertified,
  privateKeyProblem,
  x5cOf,
} from '../../transport/certificates.js';
import { importPrivateKey, publicJwkOf, type PublicJwk } from '../../transport/jws.js';
import type { KeySet } from '../provider.js';

/** So long Payconiq may go on with a key set that it fetched before. @see payconiq.txt L11923-11925 */
const PROVIDER_CACHES_MS = 12 * 3_600_000;

export interface SigningKey {
  readonly kid: string;
  readonly privateKeyPem: string;
  /** Leaf first. Without it the published key has no `x5c`. */
  readonly certificatePem?: string | undefined;
  /** ISO 8601: since when the key set that we serve has had it; absent: since ever. */
  readonly publishedAt?: string | undefined;
}

/** Also where a field is wrong in itself, so that every problem is told at once. */
const ALWAYS = { when: () => true };
const TIME_RULE = 'must be an ISO 8601 time with its offset, e.g. 2026-01-31T12:00:00Z';

/** The oldest need not stand first. */
export type SigningKeys = readonly [SigningKey, ...SigningKey[]];

const single = z
  .strictObject({
    kid: z.string().min(1),
    privateKeyPem: z.string().superRefine(refusing(privateKeyProblem)),
    certificatePem: z.string().superRefine(refusing(certificateProblem)).optional(),
  })
  .superRefine(checkCertified, ALWAYS);

const listed = z
  .strictObject({
    ...single.shape,
    publishedAt: z.iso.datetime({ offset: true, error: TIME_RULE }).optional(),
  })
  .superRefine(checkCertified, ALWAYS);

const list = z.strictObject({ keys: z.tuple([listed], listed) }).superRefine(checkList, ALWAYS);

/** One key, `{kid, privateKeyPem, certificatePem?}`, or `{keys: […]}` of such with `publishedAt`. */
export const signingSettings = z.unknown().transform((written, context): SigningKeys => {
  const isList = keysOf(written) !== undefined;
  const parsed = isList ? list.safeParse(written) : single.safeParse(written);
  if (parsed.success) return 'keys' in parsed.data ? parsed.data.keys : [parsed.data];
  context.issues.push(...parsed.error.issues.map((issue) => ({ ...issue, input: undefined })));
  return z.NEVER;
});

/**
 * The key that signs at this time: of those that Payconiq must have by now the newest, else the one
 * that was published first. So a new key takes over by itself, and never too early.
 */
export function signingKeyAt(keys: SigningKeys, nowMs: number): SigningKey {
  const byAge = keys.toSorted((a, b) => publishedAtMs(a) - publishedAtMs(b));
  const [oldest = keys[0], ...newer] = byAge;
  const isKnown = (key: SigningKey): boolean => nowMs - publishedAtMs(key) >= PROVIDER_CACHES_MS;
  return newer.findLast(isKnown) ?? oldest;
}

/** All keys, as the document wants them; nothing of their private part. @see payconiq.txt L11896-11912 */
export async function keySetOf(keys: SigningKeys): Promise<KeySet> {
  return { keys: await Promise.all(keys.map(publicPart)) };
}

async function publicPart({ kid, privateKeyPem, certificatePem }: SigningKey): Promise<PublicJwk> {
  const jwk = await publicJwkOf(await importPrivateKey({ pem: privateKeyPem }), kid);
  return certificatePem === undefined ? jwk : { ...jwk, x5c: x5cOf(certificatePem) };
}

function publishedAtMs({ publishedAt }: SigningKey): number {
  return publishedAt === undefined ? 0 : Date.parse(publishedAt);
}

function keysOf(value: unknown): unknown {
  return (value as { readonly keys?: unknown } | null | undefined)?.keys;
}

type Written = Partial<Record<keyof SigningKey, unknown>> | null | undefined;

function refusing(problemOf: (text: string) => string | undefined) {
  return (text: string, context: z.core.$RefinementCtx): void => {
    const message = problemOf(text);
    if (message !== undefined) context.addIssue({ code: 'custom', message });
  };
}

/** A certificate for another key would have every request refused. */
function checkCertified(written: Written, context: z.core.$RefinementCtx): void {
  const { privateKeyPem: key, certificatePem: certificate } = written ?? {};
  if (typeof key !== 'string' || typeof certificate !== 'string') return;
  // What is wrong in itself is told already.
  if (privateKeyProblem(key) ?? certificateProblem(certificate)) return;
  if (isCertified(key, certificate)) return;
  const message = 'is for another key than privateKeyPem';
  context.addIssue({ code: 'custom', path: ['certificatePem'], message });
}

function checkList(written: unknown, context: z.core.$RefinementCtx): void {
  const keys = keysOf(written);
  if (!Array.isArray(keys)) return;
  const list = keys as readonly Written[];
  const kids = list.map((key) => key?.kid);
  const first = list.findIndex((key) => key?.publishedAt === undefined);
  const refuse = (at: number, field: keyof SigningKey, message: string): void =>
    context.addIssue({ code: 'custom', path: ['keys', at, field], message });
  list.forEach((key, at) => {
    if (kids.indexOf(key?.kid) < at) refuse(at, 'kid', 'stands more than once');
    if (key?.publishedAt !== undefined || at === first) return;
    refuse(at, 'publishedAt', 'is needed: one key alone, the oldest, may be without it');
  });
}
