import { X509Certificate } from 'node:crypto';
import { describe, expect, it, test } from 'vitest';
import {
  agreesWithX5c,
  certificateProblem,
  isCertified,
  newPrivateKeyPem,
  privateKeyProblem,
  x5cOf,
} from '../../src/transport/certificates.js';
import { importPrivateKey, publicJwkOf } from '../../src/transport/jws.js';
import { certificateChain, newKeyPair } from '../support/certificates.js';

const pair = newKeyPair();
const chain = certificateChain(pair);
const [leaf = '', root = ''] = chain.split(/(?<=-----END CERTIFICATE-----\n)/);

describe('a private key', () => {
  it('of our own making is one, and signs', async () => {
    const pem = newPrivateKeyPem();
    expect(privateKeyProblem(pem)).toBeUndefined();
    expect(await publicJwkOf(await importPrivateKey({ pem }), 'k')).toMatchObject({ kty: 'EC' });
    expect(newPrivateKeyPem()).not.toBe(pem);
  });

  it('may have other text around it, as tools write it', async () => {
    const pem = `Bag Attributes\n    friendlyName: shop\n${pair.privateKeyPem}`;
    expect(privateKeyProblem(pem)).toBeUndefined();
    const { x } = await publicJwkOf(await importPrivateKey({ pem }), 'k');
    expect(x).toBe(pair.publicKey.export({ format: 'jwk' }).x);
  });

  test.each([
    ['nothing', '', /PKCS#8/],
    ['a certificate', leaf, /PKCS#8/],
    ['one in SEC 1', pair.privateKey.export({ type: 'sec1', format: 'pem' }) as string, /PKCS#8/],
    ['one of another curve', newKeyPair('P-384').privateKeyPem, /P-256/],
    ['one that is cut', pair.privateKeyPem.replace(/\n.{20}/, '\n'), /P-256/],
  ])('is not %s', (_name, pem, problem) => expect(privateKeyProblem(pem)).toMatch(problem));
});

describe('a certificate chain', () => {
  it.each([
    ['the leaf alone', leaf],
    ['with its issuer', chain],
    ['with other text around', `subject=shop\n${leaf}issuer=root\n${root}`],
  ])('may be %s', (_name, pem) => expect(certificateProblem(pem)).toBeUndefined());

  it.each([
    ['empty', ''],
    ['a key', pair.privateKeyPem],
    ['of bytes that are none', leaf.replace(/\n.{20}/, '\n')],
    ['in the wrong order', root + leaf],
    ['of strangers', leaf + certificateChain(newKeyPair())],
  ])('may not be %s', (_name, pem) => expect(certificateProblem(pem)).toMatch(/^must /));

  it('is for the key of its first certificate', () => {
    expect(isCertified(pair.privateKeyPem, chain)).toBe(true);
    expect(isCertified(pair.privateKeyPem, root + leaf)).toBe(false);
    expect(isCertified(newKeyPair().privateKeyPem, chain)).toBe(false);
    expect(isCertified('', chain)).toBe(false);
    expect(isCertified(pair.privateKeyPem, '')).toBe(false);
  });

  it('becomes x5c: DER in base64, leaf first', () => {
    const subjects = x5cOf(chain).map(
      (each) => new X509Certificate(Buffer.from(each, 'base64')).subject,
    );
    expect(subjects).toEqual(['CN=shop.example', 'CN=Test Root']);
    // Standard base64, padding and all, as RFC 7517 has it.
    expect(Buffer.from(x5cOf(chain)[0]!, 'base64').toString('base64')).toBe(x5cOf(chain)[0]);
  });
});

describe('a published key', () => {
  const jwk = { ...pair.publicKey.export({ format: 'jwk' }), kid: 'k' };

  it('agrees with its own certificate, or has none', () => {
    expect(agreesWithX5c({ ...jwk, x5c: x5cOf(chain) })).toBe(true);
    expect(agreesWithX5c(jwk)).toBe(true);
  });

  test.each<[string, unknown]>([
    ['of another key', x5cOf(certificateChain(newKeyPair()))],
    ['of another curve', x5cOf(certificateChain(newKeyPair('P-384')))],
    ['that is none', ['AAAA']],
    ['of no text', [7]],
    ['in no list', x5cOf(chain)[0]],
    ['missing in its list', []],
  ])('does not agree with a certificate %s', (_name, x5c) => {
    expect(agreesWithX5c({ ...jwk, x5c })).toBe(false);
  });
});
