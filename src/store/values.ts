import { sql, type RawBuilder } from 'kysely';
import { money, type Money } from '../domain/money.js';

/** U+0000 and unpaired surrogates: JSON can say them, PostgreSQL stores neither. */
const UNSTORABLE = /\0|\p{Surrogate}/gu;

/** Text as PostgreSQL can hold it; what it cannot hold becomes U+FFFD. */
export function storableText(text: string): string {
  return text.replace(UNSTORABLE, '\ufffd');
}

/** A value for a jsonb column. */
export function toJson(value: object): string {
  return JSON.stringify(value, (_key, part: unknown) =>
    typeof part === 'string' ? storableText(part) : part,
  );
}

export function toJsonOrNull(value: object | undefined): string | null {
  return value === undefined ? null : toJson(value);
}

/**
 * A time for a timestamptz column, cut to milliseconds: what is read back is exactly what was
 * written, so that cursors neither skip nor repeat. Throws RangeError when it is no time.
 */
export function toTime(iso: string): string {
  const time = new Date(iso);
  if (Number.isNaN(time.getTime())) throw new RangeError(`store: "${iso}" is no ISO 8601 time`);
  return time.toISOString();
}

export function toTimeOrNull(iso: string | undefined): string | null {
  return iso === undefined ? null : toTime(iso);
}

/** `{ [name]: value }`, or nothing where the column is null. */
export function present<Name extends string, Value>(
  name: Name,
  value: Value | null | undefined,
): { readonly [Key in Name]?: Value } {
  if (value === null || value === undefined) return {};
  return { [name]: value } as { readonly [Key in Name]: Value };
}

export function presentTime<Name extends string>(
  name: Name,
  value: Date | null,
): { readonly [Key in Name]?: string } {
  return present(name, value?.toISOString());
}

export function presentMoney<Name extends string>(
  name: Name,
  stored: { readonly minor: string | null; readonly currency: string | null },
): { readonly [Key in Name]?: Money } {
  const { minor, currency } = stored;
  return present(name, minor === null || currency === null ? null : money(minor, currency));
}

/** A duration as an SQL interval. */
export function milliseconds(durationMs: number): RawBuilder<string> {
  return sql`(${durationMs}::float8 * interval '1 millisecond')`;
}
