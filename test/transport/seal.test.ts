import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { createKeyRing, type KeyRing } from '../../src/transport/keyring.js';
import {
  SealError,
  newPayerKey,
  open,
  openPersonal,
  payerKeyRing,
  resealPayerKey,
  seal,
  sealPersonal,
  sealedKeyId,
} from '../../src/transport/seal.js';
import { VECTORS, hex } from '../codec/vectors.js';

const SECRETS = new Map(
  VECTORS.keys.map(({ id, secretBase64 }) => [id, Buffer.from(secretBase64, 'base64')]),
);
const RING = createKeyRing(
  VECTORS.keys.map(({ id, secretBase64 }) => ({ id, secret: secretBase64 })),
);
const PLACE = { context: 'test' };
const TEXT = Buffer.from('a payer, an account');

/** The format a second time, on WebCrypto, as docs/encryption.md tells it. */
async function sealedByTheDocument(parts: {
  readonly keyId: string;
  readonly secret: Uint8Array;
  readonly nonce: Uint8Array;
  readonly context: string;
  readonly plaintext: Uint8Array;
}): Promise<Buffer> {
  const header = Buffer.from(`\u0001${String.fromCharCode(parts.keyId.length)}${parts.keyId}`);
  const key = await crypto.subtle.importKey('raw', parts.secret, 'AES-GCM', false, ['encrypt']);
  const ciphertextAndTag = await crypto.subtle.encrypt(
    {
      name: 'AES-GCM',
      iv: parts.nonce,
      additionalData: Buffer.concat([header, Buffer.from(parts.context)]),
      tagLength: 128,
    },
    key,
    parts.plaintext,
  );
  return Buffer.concat([header, parts.nonce, Buffer.from(ciphertextAndTag)]);
}

function refusal(work: () => unknown): SealError {
  try {
    work();
  } catch (error) {
    if (error instanceof SealError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}

describe('the published vectors', () => {
  test.each(VECTORS.sealed)('$name: opens', ({ sealedHex, context, plaintextHex }) => {
    expect(Buffer.from(open(RING, hex(sealedHex), { context })).toString('hex')).toBe(plaintextHex);
  });

  test.each(VECTORS.sealed)('$name: is what another implementation makes', async (vector) => {
    const sealed = await sealedByTheDocument({
      ...vector,
      secret: SECRETS.get(vector.keyId)!,
      nonce: hex(vector.nonceHex),
      plaintext: hex(vector.plaintextHex),
    });
    expect(sealed.toString('hex')).toBe(vector.sealedHex);
  });

  test.each(VECTORS.refused)('$name: is refused', ({ sealedHex, context, code }) => {
    expect(refusal(() => open(RING, hex(sealedHex), { context })).code).toBe(code);
  });

  test.each(VECTORS.personal.values)('$name: personal data', async ({ text, nonceHex, sealed }) => {
    const { keyRow, dataKeyHex } = VECTORS.personal;
    const row = { keyId: keyRow.keyId, sealedKey: hex(keyRow.sealedKeyHex) };
    expect(openPersonal(RING, row, sealed)).toBe(text);
    const again = await sealedByTheDocument({
      keyId: keyRow.keyId,
      secret: hex(dataKeyHex),
      nonce: hex(nonceHex),
      context: 'personal-data',
      plaintext: Buffer.from(text),
    });
    expect(again.toString('base64')).toBe(sealed.ciphertext);
  });
});

describe('the published vectors of a payer', () => {
  const { keyRow, dataKeyHex } = VECTORS.personal;
  const row = { keyId: keyRow.keyId, sealedKey: hex(keyRow.sealedKeyHex) };

  test.each(VECTORS.personal.bodies)('$name: opens, and is made', async (vector) => {
    const { context, plaintextHex, sealedHex } = vector;
    const opened = open(payerKeyRing(RING, row), hex(sealedHex), { context });
    expect(Buffer.from(opened).toString('hex')).toBe(plaintextHex);
    const again = await sealedByTheDocument({
      keyId: keyRow.keyId,
      secret: hex(dataKeyHex),
      nonce: hex(vector.nonceHex),
      context,
      plaintext: hex(plaintextHex),
    });
    expect(again.toString('hex')).toBe(sealedHex);
  });

  test.each(VECTORS.personal.refused)('$name: is refused', ({ keyId, ciphertext, code }) => {
    expect(refusal(() => openPersonal(RING, row, { keyId, ciphertext })).code).toBe(code);
  });
});

describe('sealed data', () => {
  it('is, byte for byte, what another implementation makes with its nonce', async () => {
    const bytes = fc.uint8Array({ maxLength: 300 });
    const context = fc.string({ minLength: 1, unit: 'grapheme' });
    await fc.assert(
      fc.asyncProperty(bytes, context, async (plaintext, place) => {
        const sealed = seal(RING, plaintext, { context: place });
        const nonceAt = 2 + RING.currentId.length;
        const again = await sealedByTheDocument({
          keyId: RING.currentId,
          secret: SECRETS.get(RING.currentId)!,
          nonce: sealed.subarray(nonceAt, nonceAt + 12),
          context: place,
          plaintext,
        });
        expect(Buffer.from(sealed).equals(again)).toBe(true);
      }),
    );
  });

  it('opens to what was sealed', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 5_000 }), (plaintext) => {
        const opened = open(RING, seal(RING, plaintext, PLACE), PLACE);
        expect(Buffer.from(opened).equals(plaintext)).toBe(true);
      }),
    );
  });

  it('is 30 bytes and the key id longer', () => {
    expect(seal(RING, TEXT, PLACE)).toHaveLength(TEXT.length + 30 + RING.currentId.length);
  });

  it('never has the same nonce', () => {
    const sealed = Array.from({ length: 500 }, () => Buffer.from(seal(RING, TEXT, PLACE)));
    expect(new Set(sealed.map((each) => each.subarray(9, 21).toString('hex'))).size).toBe(500);
  });

  it('names its key', () => {
    expect(sealedKeyId(seal(RING, TEXT, PLACE))).toBe(RING.currentId);
    expect(refusal(() => sealedKeyId(TEXT)).code).toBe('unsupported_version');
  });

  it('refuses every change of a single byte', () => {
    const sealed = seal(RING, TEXT, PLACE);
    for (let at = 0; at < sealed.length; at += 1) {
      for (const change of [1, 0x80, 0xff]) {
        const altered = Uint8Array.from(sealed);
        altered[at] = sealed[at]! ^ change;
        expect(refusal(() => open(RING, altered, PLACE)).code).toBeDefined();
      }
    }
  });

  it('refuses every cut, and bytes that were added', () => {
    const sealed = seal(RING, TEXT, PLACE);
    for (let length = 0; length < sealed.length; length += 1) {
      expect(refusal(() => open(RING, sealed.subarray(0, length), PLACE)).code).toBeDefined();
      expect(
        refusal(() => open(RING, sealed.subarray(sealed.length - length), PLACE)),
      ).toBeDefined();
    }
    expect(refusal(() => open(RING, Buffer.concat([sealed, TEXT]), PLACE)).code).toBe(
      'not_authentic',
    );
  });

  it('throws nothing but its own error, whatever the bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
        const looksRight = Uint8Array.from([1, 7, ...Buffer.from('2026-01'), ...bytes]);
        expect(refusal(() => open(RING, bytes, PLACE)).code).toBeDefined();
        expect(refusal(() => open(RING, looksRight, PLACE)).code).toBeDefined();
      }),
    );
  });

  it('opens in its own place only', () => {
    const sealed = seal(RING, TEXT, { context: 'inbox-body:42' });
    const elsewhere = refusal(() => open(RING, sealed, { context: 'inbox-body:43' }));
    expect(elsewhere).toMatchObject({ code: 'not_authentic', keyId: RING.currentId });
    expect(() => seal(RING, TEXT, { context: '' })).toThrow(RangeError);
    expect(() => open(RING, sealed, { context: '' })).toThrow(RangeError);
  });
});

describe('a rotation', () => {
  const before = createKeyRing([{ id: 'old', secret: new Uint8Array(32).fill(1) }]);
  const after = createKeyRing([
    { id: 'new', secret: new Uint8Array(32).fill(2) },
    { id: 'old', secret: new Uint8Array(32).fill(1) },
  ]);
  const done = createKeyRing([{ id: 'new', secret: new Uint8Array(32).fill(2) }]);

  it('seals with the new key and still opens what the old one sealed', () => {
    const old = seal(before, TEXT, PLACE);
    expect(Buffer.from(open(after, old, PLACE))).toEqual(TEXT);
    expect(sealedKeyId(seal(after, TEXT, PLACE))).toBe('new');
  });

  it('names the key that was dropped too early, or is not there yet', () => {
    const missing = {
      code: 'unknown_key',
      message: expect.stringContaining('"old"'),
      keyId: 'old',
    };
    expect(refusal(() => open(done, seal(before, TEXT, PLACE), PLACE))).toMatchObject(missing);
    const early = refusal(() => open(before, seal(after, TEXT, PLACE), PLACE));
    expect(early).toMatchObject({ code: 'unknown_key', keyId: 'new' });
  });

  it('reseals payer keys, so that the old key can go', () => {
    const row = newPayerKey(before);
    const name = sealPersonal(before, row, 'Zoë');
    const resealed = resealPayerKey(after, row);
    expect(sealedKeyId(resealed.sealedKey)).toBe('new');
    expect(openPersonal(done, resealed, name)).toBe('Zoë');
    expect(refusal(() => openPersonal(done, row, name)).code).toBe('unknown_key');
  });
});

describe('personal data', () => {
  const row = newPayerKey(RING);
  const IBAN = 'BE68 5390 0754 7034';

  it('opens with its payer’s key, and reads as JSON of two members', () => {
    const sealed = sealPersonal(RING, row, IBAN);
    const read = JSON.parse(JSON.stringify(sealed)) as typeof sealed;
    expect(Object.keys(read).sort()).toEqual(['ciphertext', 'keyId']);
    expect(JSON.stringify(read)).not.toContain('5390');
    expect(openPersonal(RING, row, read)).toBe(IBAN);
  });

  it('opens to any text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        expect(openPersonal(RING, row, sealPersonal(RING, row, text))).toBe(text);
      }),
    );
  });

  it('has a key of its own for each payer', () => {
    const other = newPayerKey(RING);
    const sealed = sealPersonal(RING, row, IBAN);
    expect(other.keyId).not.toBe(row.keyId);
    expect(refusal(() => openPersonal(RING, other, sealed))).toMatchObject({
      code: 'unknown_key',
      keyId: row.keyId,
    });
    const relabelled = { ...sealed, keyId: other.keyId };
    expect(refusal(() => openPersonal(RING, other, relabelled)).code).toBe('unknown_key');
  });

  it('does not open with a row that got another payer’s key', () => {
    const swapped = { ...row, sealedKey: newPayerKey(RING).sealedKey };
    const sealed = sealPersonal(RING, row, IBAN);
    expect(refusal(() => openPersonal(RING, swapped, sealed)).code).toBe('not_authentic');
    expect(refusal(() => sealPersonal(RING, swapped, IBAN)).code).toBe('not_authentic');
  });

  it('is not opened by the key ring itself: without its row it is gone', () => {
    const { ciphertext } = sealPersonal(RING, row, IBAN);
    const bytes = Buffer.from(ciphertext, 'base64');
    expect(refusal(() => open(RING, bytes, { context: 'personal-data' }))).toMatchObject({
      code: 'unknown_key',
      keyId: row.keyId,
    });
  });

  it('does not repeat what is no key id', () => {
    const sealed = { keyId: `${IBAN}, in the wrong place`, ciphertext: '' };
    expect(refusal(() => openPersonal(RING, row, sealed)).message).not.toContain('5390');
  });

  it('has a key that needs the key ring', () => {
    const stranger: KeyRing = createKeyRing([
      { id: RING.currentId, secret: new Uint8Array(32).fill(9) },
    ]);
    expect(refusal(() => sealPersonal(stranger, row, IBAN)).code).toBe('not_authentic');
  });
});
