import { generateKeyPairSync, randomInt, sign, type KeyObject } from 'node:crypto';

export interface KeyPair {
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
  readonly privateKeyPem: string;
}

export function newKeyPair(namedCurve = 'P-256'): KeyPair {
  const pair = generateKeyPairSync('ec', { namedCurve });
  const privateKeyPem = pair.privateKey.export({ type: 'pkcs8', format: 'pem' }) as string;
  return { ...pair, privateKeyPem };
}

/** A certificate (X.509, PEM) for a public key, signed by its issuer. */
export function certificateOf(asked: {
  readonly subject: string;
  readonly publicKey: KeyObject;
  readonly issuer: { readonly name: string; readonly privateKey: KeyObject };
}): string {
  const toBeSigned = sequence(
    der(0xa0, integer(2)),
    integer(randomInt(1, 100)),
    ECDSA_WITH_SHA256,
    nameOf(asked.issuer.name),
    sequence(utcTime('250101000000Z'), utcTime('491231235959Z')),
    nameOf(asked.subject),
    asked.publicKey.export({ type: 'spki', format: 'der' }),
  );
  const signature = sign('sha256', toBeSigned, asked.issuer.privateKey);
  const bits = der(0x03, Buffer.concat([Buffer.of(0), signature]));
  const base64 = sequence(toBeSigned, ECDSA_WITH_SHA256, bits).toString('base64');
  const lines = base64.match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
}

/** Of a certificate for a key by a root of its own: both, the leaf first. */
export function certificateChain({ publicKey }: Pick<KeyPair, 'publicKey'>): string {
  const root = newKeyPair();
  const issuer = { name: 'Test Root', privateKey: root.privateKey };
  const leaf = certificateOf({ subject: 'shop.example', publicKey, issuer });
  return leaf + certificateOf({ subject: 'Test Root', publicKey: root.publicKey, issuer });
}

function der(tag: number, content: Buffer): Buffer {
  const { length } = content;
  const long = length > 255 ? [0x82, length >> 8, length & 0xff] : [0x81, length];
  return Buffer.concat([Buffer.of(tag, ...(length < 128 ? [length] : long)), content]);
}

function sequence(...parts: readonly Buffer[]): Buffer {
  return der(0x30, Buffer.concat(parts));
}

function integer(value: number): Buffer {
  return der(0x02, Buffer.of(value));
}

function utcTime(text: string): Buffer {
  return der(0x17, Buffer.from(text));
}

const ECDSA_WITH_SHA256 = sequence(der(0x06, Buffer.from('2a8648ce3d040302', 'hex')));
const COMMON_NAME = der(0x06, Buffer.from('550403', 'hex'));

function nameOf(commonName: string): Buffer {
  const attribute = sequence(COMMON_NAME, der(0x0c, Buffer.from(commonName)));
  return sequence(der(0x31, attribute));
}
