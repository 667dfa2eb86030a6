import type { HttpClient } from '../../transport/http.js';
import { createJwksCache } from '../../transport/jwks.js';
import { defineProvider, type ConnectionResources } from '../provider.js';
import { payconiqApi } from './api.js';
import { payconiqCodes } from './codes.js';
import { plannedDowntimeEnd } from './downtime.js';
import { payconiqSettings, type PayconiqSettings } from './config.js';
import { payconiqLoyalty } from './loyalty.js';
import { payconiqNotifications } from './notifications.js';
import { payconiqPayments } from './payments.js';
import { payconiqRefunds } from './refunds.js';
import { payconiqReports } from './reports.js';
import { keySetOf } from './signing-keys.js';
import { payconiqStatements } from './statements.js';

/** Payconiq, Merchant API Guide V3: payments by QR code or app. */
export const payconiq = defineProvider<PayconiqSettings>({
  name: 'payconiq',
  settings: payconiqSettings,
  secretSettings: ['apiKey', 'signing.privateKeyPem', 'signing.keys.*.privateKeyPem'],
  origins: ({ apiBaseUrl, jwksUrl }) => [apiBaseUrl, jwksUrl],
  connect(settings, resources) {
    const { connectionId: id, http, now, notificationUrl } = resources;
    const keys = payconiqKeys(settings, resources);
    const callApi = payconiqApi(settings, { http, keys, now });
    const { profileId, signing, loyalty, plannedDowntime: isSwitchedOff } = settings;
    return {
      id,
      provider: 'payconiq',
      payments: payconiqPayments(settings, resources, callApi),
      notifications: payconiqNotifications({ profileId, keys, now, notificationUrl }),
      codes: payconiqCodes(settings),
      statements: payconiqStatements,
      ...(loyalty && { loyalty: payconiqLoyalty({ ...loyalty, profileId, keys }) }),
      // Neither takes the API key. @see payconiq.txt L357, L11239
      ...(signing && {
        publicKeys: () => keySetOf(signing),
        refunds: payconiqRefunds(resources, callApi),
        reports: payconiqReports(resources, callApi),
      }),
      ...(isSwitchedOff && { silentUntil: plannedDowntimeEnd }),
    };
  },
});

/** Payconiq's public keys, cached as its guide asks: 12 hours, sooner for an unknown key id. */
function payconiqKeys(settings: PayconiqSettings, resources: ConnectionResources) {
  return createJwksCache({
    url: settings.jwksUrl,
    now: resources.now,
    cooldownMs: resources.timing.keySetCooldownMs,
    fetchBytes: fetchThrough(resources.http),
  });
}

function fetchThrough(http: HttpClient) {
  return async (url: string, limits: { timeoutMs: number; maxBytes: number }) => {
    const exchange = await http.send({
      method: 'GET',
      url,
      headers: { accept: 'application/json' },
      timeoutMs: limits.timeoutMs,
      maxResponseBytes: limits.maxBytes,
      connection: 'kept',
    });
    if (exchange.kind !== 'answered') throw new Error(exchange.reason);
    return exchange;
  };
}
