import { readFileSync } from 'node:fs';
import type { SealErrorCode, SealedPersonalData } from '../../src/transport/seal.js';

/** The published vectors of docs/encryption.md. */
export interface EncryptionVectors {
  readonly keys: readonly { readonly id: string; readonly secretBase64: string }[];
  readonly sealed: readonly SealedVector[];
  readonly refused: readonly {
    readonly name: string;
    readonly context: string;
    readonly sealedHex: string;
    readonly code: SealErrorCode;
  }[];
  readonly personal: {
    readonly keyRow: { readonly keyId: string; readonly sealedKeyHex: string };
    readonly dataKeyHex: string;
    readonly values: readonly {
      readonly name: string;
      readonly text: string;
      readonly nonceHex: string;
      readonly sealed: SealedPersonalData;
    }[];
    /** Sealed with the payer's key too, as bytes. */
    readonly bodies: readonly SealedBytes[];
    /** What the payer's key does not open. */
    readonly refused: readonly (SealedPersonalData & {
      readonly name: string;
      readonly code: SealErrorCode;
    })[];
  };
  readonly payloads: readonly {
    readonly name: string;
    readonly messageHex: string;
    readonly plain: PayloadJson;
    readonly encrypted: PayloadJson;
  }[];
}

export interface SealedVector extends SealedBytes {
  readonly keyId: string;
}

interface SealedBytes {
  readonly name: string;
  readonly context: string;
  readonly nonceHex: string;
  readonly plaintextHex: string;
  readonly sealedHex: string;
}

export interface PayloadJson {
  readonly metadata?: Readonly<Record<string, string>>;
  readonly data?: string;
}

export const VECTORS = JSON.parse(
  readFileSync(new URL('../vectors/encryption/v1.json', import.meta.url), 'utf8'),
) as EncryptionVectors;

export const hex = (text: string): Buffer => Buffer.from(text, 'hex');
