/** A private key for a provider that verifies our signatures. */
import { writeFile } from 'node:fs/promises';
import { newPrivateKeyPem } from '../transport/certificates.js';
import { randomToken } from '../transport/digest.js';

/**
 * Writes a new key to a file that only its owner can read; answers with what goes into the settings.
 *
 * @throws Error EEXIST: a key that is in use is never overwritten
 */
export async function makeSigningKey(file: string): Promise<string> {
  await writeFile(file, newPrivateKeyPem(), { flag: 'wx', mode: 0o600 });
  return JSON.stringify({ kid: `es-${randomToken(9)}`, privateKeyPem: { file } });
}
