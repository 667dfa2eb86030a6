/** Answers in other formats than JSON. */
import { Readable } from 'node:stream';
import type { FastifyReply, FastifyRequest } from 'fastify';

export type Format = 'json' | 'csv' | 'html';

const MEDIA_TYPES = {
  json: 'application/json',
  csv: 'text/csv',
  html: 'text/html',
} as const satisfies Record<Format, string>;

/** What was asked for by name, else the first format that the Accept header names and there is. */
export function formatOf(
  { headers }: Pick<FastifyRequest, 'headers'>,
  { asked, offered }: { readonly asked: Format | undefined; readonly offered: readonly Format[] },
): Format {
  if (asked !== undefined) return asked;
  const accepted = (headers.accept ?? '').split(',').map((part) => part.split(';')[0]?.trim());
  const named = accepted.flatMap(
    (type) => offered.find((format) => MEDIA_TYPES[format] === type) ?? [],
  );
  return named[0] ?? 'json';
}

/**
 * Sends a table as it is read. What fails before its first part is answered as a problem; later,
 * the connection breaks off, so that no part is taken for the whole.
 */
export async function sendCsv(
  reply: FastifyReply,
  { filename, parts }: { readonly filename: string; readonly parts: AsyncGenerator<string> },
): Promise<FastifyReply> {
  const first = await parts.next();
  async function* all(): AsyncGenerator<string> {
    if (first.done !== true) yield first.value;
    yield* parts;
  }
  return reply
    .header('content-type', 'text/csv; charset=utf-8; header=present')
    .header(
      'content-disposition',
      `attachment; filename="${filename.replace(/[^\w.-]/g, '_')}.csv"`,
    )
    .send(Readable.from(all()));
}
