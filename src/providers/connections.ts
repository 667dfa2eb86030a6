/** The providers' front door: the configured connections, by id. */
import { isPaymentId, type PaymentId } from '../domain/ids.js';
import type { Violation } from '../domain/problem.js';
import type { Timing } from '../domain/timing.js';
import { constantTimeEqual, hmacSha256 } from '../transport/digest.js';
import { createHttpClient } from '../transport/http.js';
import type { ConfiguredConnection, Connection } from './provider.js';
import { PROVIDERS } from './registry.js';

export interface Connections {
  get(connectionId: string): Connection | undefined;
  ids(): readonly string[];
  /** Whether a notification URL is one that we gave out: a payment's, or the connection's own. */
  isNotificationToken(
    connectionId: string,
    paymentId: PaymentId | undefined,
    token: string,
  ): boolean;
  /**
   * The connection's own notification URL, to be entered at the provider: it reports there on what
   * began without us. Undefined where no public URL is configured.
   */
  notificationUrl(connectionId: string): string | undefined;
  isLoyaltyToken(connectionId: string, token: string): boolean;
  /**
   * Where the provider registers payments of members of our loyalty scheme; undefined where the
   * connection has none, or no public URL is configured.
   */
  loyaltyUrl(connectionId: string): string | undefined;
  /** The payment that a notification URL was given to; undefined for any other URL. */
  paymentOfUrl(connectionId: string, url: string): PaymentId | undefined;
  close(): Promise<void>;
}

/** One connection as configured, its secrets read. */
export interface ConnectionSettings {
  readonly id: string;
  readonly provider: string;
  readonly settings: unknown;
}

export interface ConnectionsOptions {
  readonly connections: readonly ConnectionSettings[];
  readonly timing: Timing;
  readonly now: () => number;
  /** Where providers reach us, e.g. `https://pay.example.com`; absent: no notifications. */
  readonly publicUrl?: string;
  /** Makes notification URLs unguessable. */
  readonly notificationSecret: string;
}

/** A configuration that cannot be used, with every problem in it. */
export class ConnectionSettingsError extends Error {
  override readonly name = 'ConnectionSettingsError';
  readonly violations: readonly Violation[];

  constructor(violations: readonly Violation[]) {
    super(violations.map(({ field, rule }) => `${field}: ${rule}`).join('\n'));
    this.violations = violations;
  }
}

/** The path of the notification door, shared by those who give URLs out and those who serve them. */
export const NOTIFICATION_PATH = '/notifications';

/** The same of the door for loyalty registrations. */
export const LOYALTY_PATH = '/loyalty';

/**
 * Checks connections without opening them.
 *
 * @param written as configured, secrets still references
 * @param read the same with secrets read
 */
export function checkConnections(
  written: readonly ConnectionSettings[],
  read: readonly ConnectionSettings[],
): readonly Violation[] {
  const inline = written.flatMap(({ id, provider, settings }) =>
    inlineSecrets(PROVIDERS.get(provider)?.secretSettings ?? [], settings).map((name) => ({
      field: `connections.${id}.${name}`,
      rule: 'must be { "env": "NAME" } or { "file": "path" }: secrets are never written inline',
    })),
  );
  const wrong = read.flatMap((each) => {
    const configured = configure(each);
    return 'violations' in configured ? configured.violations : [];
  });
  return [...inline, ...wrong];
}

/** Which of these settings (dotted paths, `*` for each entry of a list) are plain text. */
function inlineSecrets(paths: readonly string[], settings: unknown): readonly string[] {
  return paths.flatMap((path) => textsAt(settings, path.split('.'), []));
}

function textsAt(
  value: unknown,
  [name, ...rest]: readonly string[],
  above: readonly string[],
): readonly string[] {
  if (name === undefined) return typeof value === 'string' ? [above.join('.')] : [];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value)
    .filter(([key]) => name === '*' || key === name)
    .flatMap(([key, each]) => textsAt(each, rest, [...above, key]));
}

function configure({
  id,
  provider,
  settings,
}: ConnectionSettings): ConfiguredConnection | { readonly violations: readonly Violation[] } {
  const known = PROVIDERS.get(provider);
  if (!known) {
    const rule = `is no provider; known are ${[...PROVIDERS.keys()].join(', ')}`;
    return { violations: [{ field: `connections.${id}.provider`, rule, value: provider }] };
  }
  const configured = known.configure(settings);
  if (!('violations' in configured)) return configured;
  return { violations: configured.violations.map((each) => prefixed(id, each)) };
}

/** @throws ConnectionSettingsError naming every wrong setting of every connection */
export function openConnections(options: ConnectionsOptions): Connections {
  const violations: Violation[] = [];
  const opened = options.connections.flatMap((configured) => {
    const result = openConnection(configured, options);
    if ('violations' in result) violations.push(...result.violations);
    return 'violations' in result ? [] : [result];
  });
  if (violations.length > 0) throw new ConnectionSettingsError(violations);
  const byId = new Map(opened.map((each) => [each.connection.id, each.connection]));
  return {
    get: (connectionId) => byId.get(connectionId),
    ids: () => [...byId.keys()],
    isNotificationToken: (connectionId, paymentId, token) =>
      constantTimeEqual(notificationToken(options, connectionId, paymentId), token),
    notificationUrl: (connectionId) => notificationUrl(options, connectionId),
    isLoyaltyToken: (connectionId, token) =>
      constantTimeEqual(loyaltyToken(options, connectionId), token),
    loyaltyUrl: (connectionId) =>
      byId.get(connectionId)?.loyalty && loyaltyUrl(options, connectionId),
    paymentOfUrl: (connectionId, url) => paymentOfUrl(options, connectionId, url),
    async close() {
      await Promise.all(opened.map(({ close }) => close()));
    },
  };
}

function openConnection(
  settings: ConnectionSettings,
  options: ConnectionsOptions,
):
  | { readonly connection: Connection; close(): Promise<void> }
  | { readonly violations: readonly Violation[] } {
  const configured = configure(settings);
  if ('violations' in configured) return configured;
  const { id } = settings;
  const { timing, now } = options;
  const http = createHttpClient({ origins: configured.origins, now });
  const connection = configured.connect({
    connectionId: id,
    http,
    timing,
    now,
    notificationUrl: (paymentId) => notificationUrl(options, id, paymentId),
  });
  return { connection, close: () => http.close() };
}

function prefixed(id: string, violation: Violation): Violation {
  return { ...violation, field: `connections.${id}.${violation.field}` };
}

function notificationUrl(
  options: ConnectionsOptions,
  connectionId: string,
  paymentId?: PaymentId,
): string | undefined {
  const token = notificationToken(options, connectionId, paymentId);
  const named = paymentId ? [paymentId] : [];
  return publicAddress(options, NOTIFICATION_PATH, [connectionId, ...named, token]);
}

function publicAddress(
  { publicUrl }: ConnectionsOptions,
  path: string,
  parts: readonly string[],
): string | undefined {
  if (publicUrl === undefined) return undefined;
  return [`${publicUrl.replace(/\/$/, '')}${path}`, ...parts.map(encodeURIComponent)].join('/');
}

function paymentOfUrl(
  options: ConnectionsOptions,
  connectionId: string,
  url: string,
): PaymentId | undefined {
  const paymentId = url.split('/').at(-2) ?? '';
  const isOurs =
    isPaymentId(paymentId) && notificationUrl(options, connectionId, paymentId) === url;
  return isOurs ? paymentId : undefined;
}

/** No payment's id is empty, so the connection's own token is none of theirs. */
function notificationToken(
  { notificationSecret }: ConnectionsOptions,
  connectionId: string,
  paymentId: PaymentId = '',
): string {
  return hmacSha256(notificationSecret, `${connectionId}\n${paymentId}`).toString('base64url');
}

function loyaltyUrl(options: ConnectionsOptions, connectionId: string): string | undefined {
  const token = loyaltyToken(options, connectionId);
  return publicAddress(options, LOYALTY_PATH, [connectionId, token]);
}

/** No connection's id is empty, so it is no notification token either. */
function loyaltyToken({ notificationSecret }: ConnectionsOptions, connectionId: string): string {
  return hmacSha256(notificationSecret, `\nloyalty\n${connectionId}`).toString('base64url');
}
