/** Private keys for ES256 as files hold them, and the certificates that vouch for them. */
import { X509Certificate, createPrivateKey, generateKeyPairSync } from 'node:crypto';
import type { KeyObject } from 'node:crypto';

/** P-256, as OpenSSL calls it. */
const CURVE = 'prime256v1';
const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/** A new P-256 private key, PKCS#8 in PEM. */
export function newPrivateKeyPem(): string {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: CURVE });
  return privateKey.export({ type: 'pkcs8', format: 'pem' }) as string;
}

/**
 * The key alone: files have it with attributes and other text around it.
 *
 * @throws Error when there is none
 */
export function canonicalPrivateKey(pem: string): string {
  return createPrivateKey(pem).export({ type: 'pkcs8', format: 'pem' }) as string;
}

/** Why this text is no private key to sign ES256 with; undefined if it is one. */
export function privateKeyProblem(pem: string): string | undefined {
  if (!pem.includes('-----BEGIN PRIVATE KEY-----')) return 'must be a PKCS#8 private key in PEM';
  const curve = readPrivateKey(pem)?.asymmetricKeyDetails?.namedCurve;
  return curve === CURVE ? undefined : 'must be a private key on the curve P-256';
}

/** Why this text is no certificate chain (PEM, leaf first); undefined if it is one. */
export function certificateProblem(pem: string): string | undefined {
  const chain = readCertificates(pem);
  if (chain === undefined || chain.length === 0) return 'must be one or more certificates in PEM';
  const isBroken = chain.some((each, at) => at > 0 && chain[at - 1]?.checkIssued(each) !== true);
  return isBroken ? 'must begin with our own, each followed by the one that issued it' : undefined;
}

/** Whether the first of these certificates is for this private key; false where either is none. */
export function isCertified(privateKeyPem: string, certificatePem: string): boolean {
  const key = readPrivateKey(privateKeyPem);
  return key !== undefined && readCertificates(certificatePem)?.[0]?.checkPrivateKey(key) === true;
}

/**
 * A certificate chain as the member `x5c` of a JWK: DER in base64, not base64url (RFC 7517 §4.7).
 *
 * @throws Error when it holds something that is no certificate
 */
export function x5cOf(certificatePem: string): readonly string[] {
  const pems = certificatePem.match(CERTIFICATE) ?? [];
  return pems.map((pem) => new X509Certificate(pem).raw.toString('base64'));
}

/** Whether a JWK that has certificates is the key of the first one (RFC 7517 §4.7); true without. */
export function agreesWithX5c(jwk: object): boolean {
  const { x5c, ...own } = jwk as Record<string, unknown>;
  if (x5c === undefined) return true;
  const [leaf] = Array.isArray(x5c) ? (x5c as readonly unknown[]) : [];
  try {
    const { publicKey } = new X509Certificate(Buffer.from(leaf as string, 'base64'));
    const { x, y } = publicKey.export({ format: 'jwk' });
    return publicKey.asymmetricKeyDetails?.namedCurve === CURVE && x === own.x && y === own.y;
  } catch {
    return false;
  }
}

function readPrivateKey(pem: string): KeyObject | undefined {
  try {
    return createPrivateKey(pem);
  } catch {
    return undefined;
  }
}

function readCertificates(pem: string): readonly X509Certificate[] | undefined {
  try {
    return (pem.match(CERTIFICATE) ?? []).map((each) => new X509Certificate(each));
  } catch {
    return undefined;
  }
}
