import { inspect } from 'node:util';
import { describe, expect, it, test } from 'vitest';
import {
  KeyRingError,
  checkKeys,
  createKeyRing,
  generateKey,
  type KeyInput,
} from '../../src/transport/keyring.js';

const bytes = (fill: number): Uint8Array => new Uint8Array(32).fill(fill);
const base64 = (fill: number): string => Buffer.from(bytes(fill)).toString('base64');
const exported = (ring: ReturnType<typeof createKeyRing>, id: string): Buffer | undefined =>
  ring.find(id)?.export();

describe('a key ring', () => {
  it('seals with its first key and opens with all', () => {
    const ring = createKeyRing([
      { id: '2026-01', secret: bytes(1) },
      { id: '2025-07', secret: base64(2) },
    ]);
    expect(ring.currentId).toBe('2026-01');
    expect(ring.ids).toEqual(['2026-01', '2025-07']);
    expect(exported(ring, '2026-01')).toEqual(Buffer.from(bytes(1)));
    expect(exported(ring, '2025-07')).toEqual(Buffer.from(bytes(2)));
    expect(ring.find('2024-01')).toBeUndefined();
  });

  test.each([
    ['base64', '+/v7+/v7+/v7+/v7+/v7+/v7+/v7+/v7+/v7+/v7+/s='],
    ['base64 without padding', '+/v7+/v7+/v7+/v7+/v7+/v7+/v7+/v7+/v7+/v7+/s'],
    ['base64url', '-_v7-_v7-_v7-_v7-_v7-_v7-_v7-_v7-_v7-_v7-_s'],
  ])('reads %s', (_name, secret) => {
    const ring = createKeyRing([{ id: 'a', secret }]);
    expect(exported(ring, 'a')?.toString('base64')).toBe(
      '+/v7+/v7+/v7+/v7+/v7+/v7+/v7+/v7+/v7+/v7+/s=',
    );
  });

  it('keeps its own copy of the bytes', () => {
    const secret = bytes(1);
    const ring = createKeyRing([{ id: 'a', secret }]);
    secret.fill(9);
    expect(exported(ring, 'a')).toEqual(Buffer.from(bytes(1)));
  });

  it('shows no secret when it is printed', () => {
    const ring = createKeyRing([
      { id: 'a', secret: 'secretsecretsecretsecretsecretsecretsecretA=' },
    ]);
    expect(inspect(ring, { depth: 9, showHidden: true })).not.toMatch(/secretsecret|b1 e7 2b/);
    expect(JSON.stringify(ring)).toBe('{"currentId":"a","ids":["a"]}');
  });
});

describe('keys that cannot be used', () => {
  test.each<[string, KeyInput[], string, string]>([
    ['no keys', [], '', 'at least one key is needed'],
    [
      'a short secret',
      [{ id: 'a', secret: bytes(1).subarray(1) }],
      '0.secret',
      'must be 32 bytes in base64 (key a)',
    ],
    [
      'a long secret',
      [{ id: 'a', secret: new Uint8Array(33) }],
      '0.secret',
      'must be 32 bytes in base64 (key a)',
    ],
    [
      'a secret in hex',
      [{ id: 'a', secret: '0f'.repeat(32) }],
      '0.secret',
      'must be 32 bytes in base64 (key a)',
    ],
    [
      'a secret with a letter that is none of base64',
      [{ id: 'a', secret: base64(1).replace('A', '!') }],
      '0.secret',
      'must be 32 bytes in base64 (key a)',
    ],
    [
      'a secret whose last letter says more than its bytes',
      [{ id: 'a', secret: base64(1).replace('E=', 'F=') }],
      '0.secret',
      'must be 32 bytes in base64 (key a)',
    ],
    [
      'one id twice',
      [
        { id: 'a', secret: bytes(1) },
        { id: 'a', secret: bytes(2) },
      ],
      '1.id',
      'the id a stands more than once',
    ],
    [
      'one secret twice',
      [
        { id: 'a', secret: bytes(1) },
        { id: 'b', secret: base64(1) },
      ],
      '1.secret',
      'is the secret of an earlier key too (key b)',
    ],
    ['no id', [{ id: '', secret: bytes(1) }], '0.id', 'must be 1 to 32 letters, digits, ., _ or -'],
    [
      'a space in an id',
      [{ id: 'a b', secret: bytes(1) }],
      '0.id',
      'must be 1 to 32 letters, digits, ., _ or -',
    ],
  ])('%s', (_name, keys, field, rule) => {
    expect(checkKeys(keys)).toEqual([{ field, rule }]);
    expect(() => createKeyRing(keys)).toThrow(KeyRingError);
    expect(() => createKeyRing(keys)).toThrow(rule);
  });

  it('are all named at once', () => {
    const keys = [
      { id: 'a b', secret: bytes(1) },
      { id: 'c', secret: 'short' },
    ];
    expect(checkKeys(keys).map(({ field }) => field)).toEqual(['0.id', '1.secret']);
  });

  test.each(['base64', 'base64url'] as const)(
    'show nothing of a secret in %s, even where it stands in the place of the id',
    (encoding) => {
      const secret = Buffer.from(Array.from({ length: 32 }, (_, i) => i * 7)).toString(encoding);
      const swapped = [{ id: secret, secret: 'the-id' }, ...[{ id: 'x', secret: `${secret}A` }]];
      const error = thrownBy(() => createKeyRing(swapped));
      expect(error).toBeInstanceOf(KeyRingError);
      expect(inspect(error, { depth: 9 })).not.toContain(secret.slice(0, 8));
    },
  );
});

describe('a generated key', () => {
  it('makes a key ring', () => {
    const { id, base64: secret } = generateKey();
    expect(createKeyRing([{ id, secret }]).currentId).toBe(id);
    expect(id).toMatch(/^key-[0-9a-f]{8}$/);
    expect(secret).toMatch(/^[A-Za-z0-9+/]{43}=$/);
  });

  it('is another each time', () => {
    const keys = Array.from({ length: 20 }, generateKey);
    expect(new Set(keys.map(({ id }) => id)).size).toBe(20);
    expect(new Set(keys.map((key) => key.base64)).size).toBe(20);
  });
});

function thrownBy(work: () => unknown): unknown {
  try {
    work();
  } catch (error) {
    return error;
  }
  throw new Error('nothing was thrown');
}
