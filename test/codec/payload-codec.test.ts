import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { ApplicationFailure, defaultPayloadConverter, type Payload } from '@temporalio/common';
import proto from '@temporalio/proto';
import fc from 'fast-check';
import ts from 'typescript';
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest';
import { failureConverter } from '../../src/codec/failure-converter.js';
import {
  PlainPayloadError,
  encryptedDataConverter,
  encryptionCodec,
  isEncrypted,
} from '../../src/codec/payload-codec.js';
import { createKeyRing } from '../../src/transport/keyring.js';
import { SealError, seal } from '../../src/transport/seal.js';
import { VECTORS, hex, type PayloadJson } from './vectors.js';

const RING = createKeyRing(
  VECTORS.keys.map(({ id, secretBase64 }) => ({ id, secret: secretBase64 })),
);
const codec = encryptionCodec(RING);
const { Payload: PayloadMessage } = proto.temporal.api.common.v1;

const fromJson = (json: PayloadJson): Payload => PayloadMessage.fromObject({ ...json });
const toJson = (payload: Payload, options: object = {}): unknown =>
  PayloadMessage.toObject(PayloadMessage.create(payload), { bytes: String, ...options });
const payloadOf = (value: unknown): Payload => defaultPayloadConverter.toPayload(value);

describe('the published vectors', () => {
  test.each(VECTORS.payloads)('$name: decodes', async ({ plain, encrypted }) => {
    const [decoded] = await codec.decode([fromJson(encrypted)]);
    expect(toJson(decoded!)).toEqual(plain);
  });

  test.each(VECTORS.payloads)('$name: is the protobuf message that is sealed', (vector) => {
    expect(PayloadMessage.encode(fromJson(vector.plain)).finish()).toEqual(hex(vector.messageHex));
  });
});

describe('an encoded payload', () => {
  it('says how it is encoded and by which key, and nothing else', async () => {
    const [encoded] = await codec.encode([payloadOf({ iban: 'BE68539007547034' })]);
    expect(Object.keys(encoded!).sort()).toEqual(['data', 'metadata']);
    const metadata = Object.entries(encoded!.metadata!);
    expect(metadata.map(([name, value]) => [name, Buffer.from(value).toString()])).toEqual([
      ['encoding', 'binary/encrypted'],
      ['encryption-key-id', '2026-01'],
    ]);
    expect(Buffer.from(encoded!.data!).includes('json/plain')).toBe(false);
    expect(isEncrypted(encoded!)).toBe(true);
  });

  it('decodes to what it was, metadata included, in order', async () => {
    const payload = fc.record({
      metadata: fc.dictionary(
        fc.string({ minLength: 1 }).filter((name) => name !== '__proto__'),
        fc.uint8Array({ maxLength: 20 }),
        { noNullPrototype: true },
      ),
      data: fc.uint8Array({ maxLength: 200 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(payload, { maxLength: 5 }), async (payloads) => {
        const decoded = await codec.decode(await codec.encode(payloads));
        const whole = (each: Payload) => toJson(each, { defaults: true });
        expect(decoded.map(whole)).toEqual(payloads.map(whole));
      }),
    );
  });

  it('keeps details of data that is stored elsewhere', async () => {
    const large = PayloadMessage.fromObject({ externalPayloads: [{ sizeBytes: 123 }] });
    const [decoded] = await codec.decode(await codec.encode([large]));
    expect(toJson(decoded!)).toEqual(toJson(large));
  });

  it('is refused where it is altered, or of another use', async () => {
    const [encoded] = await codec.encode([payloadOf('secret')]);
    const altered = Uint8Array.from(encoded!.data!);
    altered[altered.length - 1]! ^= 1;
    const of = (data: Uint8Array | null): Payload => ({ ...encoded, data });
    const message = PayloadMessage.encode(payloadOf('secret')).finish();
    const elsewhere = seal(RING, message, { context: 'inbox-body' });
    await expect(codec.decode([of(altered)])).rejects.toMatchObject({ code: 'not_authentic' });
    await expect(codec.decode([of(elsewhere)])).rejects.toMatchObject({ code: 'not_authentic' });
    await expect(codec.decode([of(null)])).rejects.toThrow(SealError);
  });
});

describe('a plain payload', () => {
  it('is refused by default, without a word of what it holds', async () => {
    const plain = payloadOf('a secret that was sent in the clear');
    const refused = await codec.decode([plain]).catch((error: unknown) => error as Error);
    expect(refused).toBeInstanceOf(PlainPayloadError);
    expect((refused as Error).message).not.toContain('secret');
    await expect(codec.decode([{}])).rejects.toThrow(PlainPayloadError);
  });

  it('is taken where plain ones are allowed, beside encrypted ones', async () => {
    const lenient = encryptionCodec(RING, { allowPlain: true });
    const [encoded] = await lenient.encode([payloadOf('encrypted')]);
    const decoded = await lenient.decode([payloadOf('plain'), encoded!, {}]);
    expect(decoded.slice(0, 2).map((each) => defaultPayloadConverter.fromPayload(each))).toEqual([
      'plain',
      'encrypted',
    ]);
    expect(decoded[2]).toEqual({});
  });
});

describe('the failure converter', () => {
  const there = (error: unknown) => failureConverter.errorToFailure(error, defaultPayloadConverter);
  const back = (failure: ReturnType<typeof there>) =>
    failureConverter.failureToError(failure, defaultPayloadConverter);

  it('leaves neither message nor stack where the codec does not reach', () => {
    const failure = there(new Error('outer', { cause: new Error('inner') }));
    expect(failure).toMatchObject({ message: 'Encoded failure', stackTrace: '' });
    expect(failure.cause).toMatchObject({ message: 'Encoded failure', stackTrace: '' });
    expect(back(failure)).toMatchObject({ message: 'outer', cause: { message: 'inner' } });
  });

  // The SDK overwrites the failure that an error carries from where it came.
  it('keeps the message of an error that goes on a second and third time', () => {
    const received = back(there(ApplicationFailure.create({ message: 'why', type: 'kind' })));
    for (const failure of [there(received), there(received), there(back(there(received)))]) {
      expect(back(failure)).toMatchObject({ message: 'why', type: 'kind' });
    }
  });
});

describe('built and run by Node alone', () => {
  let folder = '';
  const SOURCES = [
    'codec/payload-codec',
    'codec/failure-converter',
    'transport/seal',
    'transport/keyring',
  ];

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'holdfast-built-'));
    const root = fileURLToPath(new URL('../../', import.meta.url));
    await symlink(join(root, 'node_modules'), join(folder, 'node_modules'));
    await writeFile(join(folder, 'package.json'), '{"type":"module"}');
    for (const source of SOURCES) await build(join(root, 'src', source), join(folder, source));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  async function build(source: string, target: string): Promise<void> {
    const { outputText } = ts.transpileModule(await readFile(`${source}.ts`, 'utf8'), {
      compilerOptions: {
        module: ts.ModuleKind.ESNext,
        target: ts.ScriptTarget.ES2023,
        verbatimModuleSyntax: true,
      },
    });
    await mkdir(dirname(target), { recursive: true });
    await writeFile(`${target}.js`, outputText);
  }

  it('encodes, and its failure converter loads by path', async () => {
    const script = `
      import helpers from '@temporalio/common/lib/internal-non-workflow/index.js';
      import { createKeyRing, generateKey } from './transport/keyring.js';
      import { encryptedDataConverter } from './codec/payload-codec.js';
      const { id, base64 } = generateKey();
      const converter = encryptedDataConverter(createKeyRing([{ id, secret: base64 }]));
      const loaded = helpers.loadDataConverter(converter);
      const failure = await helpers.encodeErrorToFailure(loaded, new Error('secret'));
      const error = await helpers.decodeOptionalFailureToOptionalError(loaded, failure);
      const encoding = Buffer.from(failure.encodedAttributes.metadata.encoding).toString();
      console.log(JSON.stringify([failure.message, encoding, error.message]));
    `;
    const { stdout, stderr } = await promisify(execFile)(
      process.execPath,
      ['--input-type=module', '--eval', script],
      { cwd: folder, env: {} },
    );
    expect(stderr).toBe('');
    expect(JSON.parse(stdout)).toEqual(['Encoded failure', 'binary/encrypted', 'secret']);
  });

  it('is loaded from its source where it was not built', () => {
    expect(encryptedDataConverter(RING).failureConverterPath).toMatch(
      /src.codec.failure-converter\.ts$/,
    );
  });
});
