/** What the OpenAPI document says of a route besides its shapes. */
import { z } from 'zod';
import { components, problem } from './schemas.js';

const REFUSALS = {
  400: 'The request breaks a rule; `violations` names each field.',
  401: 'The API key is missing or unknown.',
  403: 'The API key lacks the scope.',
  404: 'There is no such thing.',
  409: 'The state does not allow it, or a first request with this Idempotency-Key is running.',
  413: 'The body is too large.',
  415: 'The body is not application/json.',
  422: 'This connection cannot do it, or the Idempotency-Key was used for another request.',
  500: 'Holdfast itself failed. A repeat with the same Idempotency-Key is safe.',
  502: 'The provider gave no usable answer.',
  503: 'Database or Temporal cannot be reached. A repeat with the same Idempotency-Key is safe.',
} as const;

type Refusal = keyof typeof REFUSALS;

interface Documented {
  readonly description: string;
  readonly content: Record<string, { readonly schema: z.ZodType }>;
  readonly headers?: Readonly<Record<string, unknown>>;
}

/** The responses of a route: the good ones by status, and which refusals there are. */
export function responses(
  good: Readonly<Record<number, readonly [description: string, schema?: z.ZodType]>>,
  refusals: readonly Refusal[],
): Record<string, Documented> {
  const answered = Object.entries(good).map(([status, [description, schema]]) => [
    status,
    schema
      ? { description, content: { 'application/json': { schema } }, ...headersOf(Number(status)) }
      : withoutBody(description),
  ]);
  const refused = refusals.map((status) => [
    status,
    {
      description: REFUSALS[status],
      content: { 'application/problem+json': { schema: problem } },
      ...headersOf(status),
    },
  ]);
  return Object.fromEntries([...answered, ...refused]) as Record<string, Documented>;
}

/** The same where the good answer comes in other formats too. */
export function withFormats(
  documented: Record<string, Documented>,
  mediaTypes: readonly string[],
): Record<string, Documented> {
  const good = documented['200'];
  if (!good) return documented;
  const more = mediaTypes.map((type) => [type, { schema: z.string() }]);
  const content = { ...good.content, ...Object.fromEntries(more) } as Documented['content'];
  return { ...documented, 200: { ...good, content } };
}

function withoutBody(description: string): z.ZodType {
  return z.null().register(components, { description });
}

/** Refusals that every route of the API has. */
export const EVERY_ROUTE = [400, 401, 403, 500] as const satisfies readonly Refusal[];

const LOCATION = { type: 'string', description: 'Where the payment is.' };
const RETRY_AFTER = { type: 'integer', description: 'Seconds to wait before a repeat.' };

function headersOf(status: number): { headers?: Record<string, unknown> } {
  if (status === 201 || status === 202) return { headers: { Location: LOCATION } };
  if (status === 409 || status === 503) return { headers: { 'Retry-After': RETRY_AFTER } };
  return {};
}
