import { readFile } from 'node:fs/promises';

/** One of the document's own examples, as bytes. */
export function vector(name: string): Promise<Buffer> {
  return readFile(new URL(`../../vectors/payconiq/${name}.json`, import.meta.url));
}

export async function jsonVector<T>(name: string): Promise<T> {
  return JSON.parse((await vector(name)).toString()) as T;
}
