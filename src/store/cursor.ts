import { InvalidCursor } from './errors.js';

/** Where a page ended. */
export interface Position {
  readonly requestedAt: string;
  readonly id: string;
}

/** Base64url of the position; opaque to callers. */
export function encodeCursor({ requestedAt, id }: Position): string {
  return Buffer.from(JSON.stringify([requestedAt, id])).toString('base64url');
}

/** Throws InvalidCursor on anything that {@link encodeCursor} did not make. */
export function decodeCursor(cursor: string): Position {
  const [requestedAt, id] = parseList(Buffer.from(cursor, 'base64url').toString('utf8'));
  if (typeof requestedAt !== 'string' || typeof id !== 'string') throw new InvalidCursor();
  if (Number.isNaN(Date.parse(requestedAt))) throw new InvalidCursor();
  const position = { requestedAt, id };
  if (encodeCursor(position) !== cursor) throw new InvalidCursor();
  return position;
}

/** A page of rows of which one more was read; `last`: its last one, where there are more. */
export function cutPage<Row>(
  rows: readonly Row[],
  limit: number,
): { readonly page: readonly Row[]; readonly last?: Row } {
  const page = rows.slice(0, limit);
  const last = page.at(-1);
  return rows.length > limit && last !== undefined ? { page, last } : { page };
}

const ROW_ID = /^[1-9]\d{0,17}$/;

/** Whether a text can be the id of an inbox row. */
export function isRowId(text: string): boolean {
  return ROW_ID.test(text);
}

/** For lists whose cursors are ids of rows. Throws InvalidCursor. */
export function checkRowCursor(cursor: string | undefined): void {
  if (cursor !== undefined && !isRowId(cursor)) throw new InvalidCursor();
}

function parseList(text: string): readonly unknown[] {
  try {
    const parsed: unknown = JSON.parse(text);
    return Array.isArray(parsed) ? parsed : [];
  } catch {
    throw new InvalidCursor();
  }
}
