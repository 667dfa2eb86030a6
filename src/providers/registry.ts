import { payconiq } from './payconiq/payconiq.js';
import type { AnyProvider } from './provider.js';

const ALL: readonly AnyProvider[] = [payconiq];

/** Every provider Holdfast knows, by name. A sixth is a folder and an entry above. */
export const PROVIDERS: ReadonlyMap<string, AnyProvider> = new Map(
  ALL.map((provider) => [provider.name, provider]),
);
