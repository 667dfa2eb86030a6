/** The keys that data at rest is sealed with: one that seals, and older ones that still open. */
import { createSecretKey, randomBytes, type KeyObject } from 'node:crypto';
import type { Violation } from '../domain/problem.js';

export interface KeyInput {
  /** Stands in the clear beside everything it sealed: 1 to 32 of A-Z a-z 0-9 . _ - */
  readonly id: string;
  /** 32 bytes; as text in base64 or base64url, the padding optional. */
  readonly secret: Uint8Array | string;
}

export interface KeyRing {
  /** The key that seals. */
  readonly currentId: string;
  /** Of all keys that open, the current one first. */
  readonly ids: readonly string[];
  find(id: string): KeyObject | undefined;
}

/** A new key as it is written into a configuration. */
export interface GeneratedKey {
  readonly id: string;
  readonly base64: string;
}

/** Keys that cannot be used. Neither the message nor `violations` holds any part of a secret. */
export class KeyRingError extends Error {
  override readonly name = 'KeyRingError';
  readonly violations: readonly Violation[];

  constructor(violations: readonly Violation[]) {
    super(`the keys cannot be used: ${violations.map(asSentence).join('; ')}`);
    this.violations = violations;
  }
}

export const KEY_BYTES = 32;

/** Shorter than a secret in base64, so that a secret in an id's place is refused and never shown. */
const KEY_ID = /^[A-Za-z0-9._-]{1,32}$/;

export function isKeyId(text: string): boolean {
  return KEY_ID.test(text);
}

/**
 * Makes a key ring. The first key seals, all of them open.
 *
 * @throws KeyRingError with everything that `checkKeys` finds
 */
export function createKeyRing(keys: readonly KeyInput[]): KeyRing {
  const violations = checkKeys(keys);
  const [current] = keys;
  if (violations.length > 0 || current === undefined) throw new KeyRingError(violations);
  const byId = new Map(
    keys.map(({ id, secret }) => [id, createSecretKey(bytesOf(secret) as Uint8Array)]),
  );
  return { currentId: current.id, ids: [...byId.keys()], find: (id) => byId.get(id) };
}

/** What forbids a key ring of these keys; fields are `<index>.id` and `<index>.secret`. */
export function checkKeys(keys: readonly KeyInput[]): readonly Violation[] {
  if (keys.length === 0) return [{ field: '', rule: 'at least one key is needed' }];
  return keys.flatMap((key, index) => [
    ...checkId(key, index, keys.slice(0, index)),
    ...checkSecret(key, index, keys.slice(0, index)),
  ]);
}

/** A random key with a random id. */
export function generateKey(): GeneratedKey {
  return {
    id: `key-${randomBytes(4).toString('hex')}`,
    base64: randomBytes(KEY_BYTES).toString('base64'),
  };
}

function checkId({ id }: KeyInput, index: number, earlier: readonly KeyInput[]): Violation[] {
  const field = `${index}.id`;
  if (!isKeyId(id)) return [{ field, rule: 'must be 1 to 32 letters, digits, ., _ or -' }];
  if (!earlier.some((key) => key.id === id)) return [];
  return [{ field, rule: `the id ${id} stands more than once` }];
}

function checkSecret(key: KeyInput, index: number, earlier: readonly KeyInput[]): Violation[] {
  const field = `${index}.secret`;
  const bytes = bytesOf(key.secret);
  if (bytes === undefined) {
    return [{ field, rule: `must be ${KEY_BYTES} bytes in base64${named(key)}` }];
  }
  // Two ids of one key would count its use twice too low, and rotate nothing.
  const same = earlier.find(({ secret }) => bytesOf(secret)?.equals(bytes));
  return same ? [{ field, rule: `is the secret of an earlier key too${named(key)}` }] : [];
}

function named({ id }: KeyInput): string {
  return isKeyId(id) ? ` (key ${id})` : '';
}

function asSentence({ field, rule }: Violation): string {
  return field === '' ? rule : `${field} ${rule}`;
}

function bytesOf(secret: Uint8Array | string): Buffer | undefined {
  const bytes = typeof secret === 'string' ? fromBase64(secret) : Buffer.from(secret);
  return bytes?.length === KEY_BYTES ? bytes : undefined;
}

/** Undefined for what is not the one way to write these bytes: a typing error must not be a key. */
function fromBase64(text: string): Buffer | undefined {
  const standard = text.replace(/=$/, '').replaceAll('-', '+').replaceAll('_', '/');
  const bytes = Buffer.from(standard, 'base64');
  return bytes.toString('base64').replace(/=+$/, '') === standard ? bytes : undefined;
}
