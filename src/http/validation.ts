/** Checks what came over the wire against a schema, and says field and rule of what is wrong. */
import type { FastifySchemaCompiler } from 'fastify';
import type { z } from 'zod';
import type { Violation } from '../domain/problem.js';
import { refusedFields } from './problems.js';

/** Fields whose value a problem may repeat; all others might hold a secret or personal data. */
const SHOWN = new Set([
  'connectionId',
  'paymentId',
  'amount.minor',
  'amount.currency',
  'captureMode',
  'captureBefore',
  'status',
  'from',
  'to',
  'needsAttention',
  'state',
  'limit',
  'page',
  'pageSize',
]);
const MAX_SHOWN_LENGTH = 64;

export const validatorCompiler: FastifySchemaCompiler<z.ZodType> =
  ({ schema }) =>
  (data: unknown) => {
    const { success, data: value, error } = schema.safeParse(data);
    return success ? { value } : { error: refusedFields(violationsOf(error, data)) };
  };

function violationsOf(error: z.ZodError, data: unknown): readonly Violation[] {
  const violations = error.issues.flatMap((issue) => {
    if (issue.code === 'unrecognized_keys') {
      return issue.keys.map((key) => ({
        field: [...issue.path, key].join('.'),
        rule: 'is not known here',
      }));
    }
    return [{ field: issue.path.join('.') || 'body', rule: ruleOf(issue, data) }];
  });
  return withValues(violations, data);
}

function ruleOf(issue: z.core.$ZodIssue, data: unknown): string {
  if (issue.code === 'invalid_type') {
    const isMissing = valueAt(data, issue.path) === undefined;
    if (isMissing) return 'is required';
    const isOwnRule = !issue.message.startsWith('Invalid input');
    return isOwnRule ? issue.message : `must be ${articled(issue.expected)}`;
  }
  if (issue.code === 'invalid_union' && 'options' in issue && issue.options) {
    return `must be one of ${issue.options.join(', ')}`;
  }
  if (issue.code === 'invalid_value') return `must be one of ${issue.values.join(', ')}`;
  return issue.message;
}

function articled(noun: string): string {
  return /^[aeiou]/.test(noun) ? `an ${noun}` : `a ${noun}`;
}

/** Adds to each violation the value it is about, where that may be shown. */
export function withValues(violations: readonly Violation[], data: unknown): readonly Violation[] {
  return violations.map((violation) => {
    const { field } = violation;
    if (violation.value !== undefined || !SHOWN.has(field)) return violation;
    const value = valueAt(data, field.split('.'));
    if (typeof value !== 'string' && typeof value !== 'number') return violation;
    return { ...violation, value: String(value).slice(0, MAX_SHOWN_LENGTH) };
  });
}

function valueAt(data: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (value, key) =>
      typeof value === 'object' && value !== null && Object.hasOwn(value, key)
        ? (value as Record<PropertyKey, unknown>)[key]
        : undefined,
    data,
  );
}
