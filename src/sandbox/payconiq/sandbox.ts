import { createApi } from './api.js';
import type { Api } from './api.js';
import { createAuthentication, createResponseSigner } from './authentication.js';
import type { ResponseSignature } from './authentication.js';
import { createPoster } from './callback-post.js';
import { createCallbacks } from './callbacks.js';
import type { SandboxCallbacks } from './callbacks.js';
import { scanCode } from './codes.js';
import type { ScanOptions } from './codes.js';
import { createClock } from './clock.js';
import type { SandboxClock, Scheduler } from './clock.js';
import { control } from './control.js';
import { createFaultBoard } from './faults.js';
import type { FaultBoard, SandboxFaults } from './faults.js';
import { createFront } from './front.js';
import { createGuard } from './guard.js';
import { createLedger } from './ledger.js';
import type { SandboxLedger } from './ledger.js';
import { createLoyalty } from './loyalty.js';
import type { SandboxLoyalty } from './loyalty.js';
import { merchantKeySource } from './merchant-keys.js';
import { resolveOptions } from './options.js';
import type { PayconiqSandboxOptions, SandboxSettings } from './options.js';
import { createPaymentBook } from './payment-book.js';
import type { PaymentBook, SandboxConsumer } from './payment-book.js';
import type { PaymentStatus, SandboxPayment } from './payment.js';
import { createPayouts } from './payouts.js';
import type { Reconciliation, SandboxPayouts } from './payouts.js';
import { createReconciliationApi } from './reconciliation-api.js';
import { createRefundBook } from './refund-book.js';
import type { RefundBook, SandboxRefunds } from './refund-book.js';
import { createRefundsApi } from './refunds-api.js';
import type { MerchantProfile } from './render.js';
import { createRequestLog } from './request-log.js';
import type { RequestRecord } from './request-log.js';
import { listen } from './server.js';
import type { Listener } from './server.js';
import { createSigningKeys } from './signing-keys.js';
import { createWaiting } from './waiting.js';

/** A Payconiq of one's own: its payments API, its consumers, its money, its clock, its troubles. */
export interface PayconiqSandbox {
  /** Base of the API, without a trailing slash: `{url}/v3/payments`. */
  readonly url: string;
  /** The provider's published keys. */
  readonly jwksUrl: string;
  readonly profileId: string;
  readonly merchantId: string;
  readonly apiKey: string;
  readonly clock: SandboxClock;
  readonly ledger: SandboxLedger;
  readonly faults: SandboxFaults;
  readonly consumer: CodeConsumer;
  readonly callbacks: SandboxCallbacks;
  readonly loyalty: SandboxLoyalty;
  readonly refunds: SandboxRefunds;
  readonly payouts: SandboxPayouts;
  /** Oldest first, as they stand now. */
  payments(filter?: { readonly reference?: string }): readonly SandboxPayment[];
  payment(paymentId: string): SandboxPayment | undefined;
  /** Requests to the API in the order of arrival. */
  requests(): readonly RequestRecord[];
  /**
   * Resolves with the newest payment of this merchant's reference, in `status` where given, as soon
   * as there is one. Rejects when the sandbox closes.
   */
  waitForPayment(
    reference: string,
    options?: { readonly status?: PaymentStatus },
  ): Promise<SandboxPayment>;
  /** Changes the URL in the profile that printed codes and payments without one report to. */
  reportTo(profileCallbackUrl: string | undefined): void;
  /** Publishes a new signing key beside the old ones and uses it. Resolves with its key id. */
  rotateKey(): Promise<string>;
  /** Publishes the newest key alone. */
  dropOldKeys(): void;
  signResponses(mode: ResponseSignature): void;
  /** Lets go everything held, drops all connections and frees the port. */
  close(): Promise<void>;
}

/** The person with the app, who can also scan what is printed. */
interface CodeConsumer extends SandboxConsumer {
  /**
   * Scans any of the provider's codes by the URL it says: a payment's own or a sticker's, whose
   * open payment is identified, or a printed template's, whose payment begins here.
   *
   * @throws SandboxStateError where the app would show an error
   */
  scanCode(content: string, options?: ScanOptions): SandboxPayment;
}

/** What the sandbox is made of, before it listens. */
interface Core {
  readonly settings: SandboxSettings;
  readonly profile: MerchantProfile;
  readonly clock: Scheduler;
  readonly faults: FaultBoard;
  readonly book: PaymentBook;
  readonly refunds: RefundBook;
  readonly reconciliation: Reconciliation;
  /** The URL configured in the profile, as it stands now. */
  readonly reporting: { url: string | undefined };
}

/**
 * Starts a simulator of the provider's payments API, strict to its document.
 *
 * @throws RangeError for options that the provider does not offer together
 * @throws KeySetError when `merchantKeys` is no key set
 */
export async function startPayconiqSandbox(
  options: PayconiqSandboxOptions = {},
): Promise<PayconiqSandbox> {
  const settings = resolveOptions(options);
  const { profileId, merchantId, merchantName: name, merchantIban: iban } = settings;
  const clock = createClock();
  const ledger = createLedger();
  const faults = createFaultBoard(clock);
  const keys = await createSigningKeys();
  const book = createPaymentBook({ clock, ledger, voidSupport: settings.voidSupport });
  const refunds = createRefundBook({
    clock,
    ledger,
    payments: book,
    course: settings.refundCourse,
    delayMs: settings.refundDelayMs,
  });
  const profile = { profileId, merchantId, name, iban };
  const money = { clock, ledger, payments: book, refunds, profile, settings };
  const { control: payouts, reconciliation } = createPayouts(money);
  const reporting = { url: settings.profileCallbackUrl };
  const core: Core = { settings, profile, clock, faults, book, refunds, reconciliation, reporting };
  const poster = createPoster({ clock, answerTimeoutMs: settings.callbackAnswerTimeoutMs });
  const callbacks = callbacksOf(core, { keys, poster });
  const loyalty = createLoyalty({ clock, keys, profile, poster, findPayment: book.find });
  book.onChange(callbacks.notify);
  const signer = createResponseSigner({
    keys,
    profileId,
    now: clock.now,
    mode: settings.responseSignature,
  });
  const log = createRequestLog();
  const waiting = createWaiting(book);
  const baseUrl = (): string => listener.url;
  const listener: Listener = await listen(
    settings,
    createFront({
      clock,
      api: await apiOf(core, { keys, signer, baseUrl }),
      faults,
      log,
      control: (request) => control({ sandbox, faults }, request),
    }),
  );
  const sandbox: PayconiqSandbox = {
    url: listener.url,
    jwksUrl: `${listener.url}/certificates`,
    profileId,
    merchantId,
    apiKey: settings.apiKey,
    clock,
    ledger,
    faults: { ...faults, ...refusalOf(listener, clock) },
    consumer: consumerOf(core),
    callbacks,
    loyalty,
    refunds,
    payouts,
    payments: ({ reference } = {}) => {
      clock.settle();
      return book.list().filter((one) => reference === undefined || one.reference === reference);
    },
    payment: (paymentId) => {
      clock.settle();
      return book.find(paymentId);
    },
    requests: log.list,
    waitForPayment: (reference, { status } = {}) =>
      waiting.wait(
        (payment) =>
          payment.reference === reference && (status === undefined || payment.status === status),
      ),
    reportTo: (url) => void (reporting.url = url),
    rotateKey: keys.rotate,
    dropOldKeys: keys.dropOld,
    signResponses: (mode) => void (signer.mode = mode),
    close: async () => {
      clock.close();
      poster.close();
      waiting.close();
      refunds.close();
      await listener.close();
      faults.clear();
    },
  };
  return sandbox;
}

function consumerOf({ settings, profile, clock, book, reporting }: Core): CodeConsumer {
  const { merchantId: owner, profileId } = profile;
  const { printedProduct: product, printedPayableOnce } = settings;
  const printed = {
    product,
    isPayableOnce: printedPayableOnce ?? product !== 'top_up',
    callbackUrl: () => reporting.url,
  };
  return {
    ...book.consumer,
    scanCode: (content, options) => {
      clock.settle();
      return scanCode({ book, owner, profileId, printed }, content, options);
    },
  };
}

type Keys = Awaited<ReturnType<typeof createSigningKeys>>;

function callbacksOf(
  { settings, profile, clock, faults, book, reporting }: Core,
  { keys, poster }: { readonly keys: Keys; readonly poster: ReturnType<typeof createPoster> },
) {
  return createCallbacks({
    clock,
    faults,
    keys,
    profile,
    findPayment: book.find,
    profileCallbackUrl: () => reporting.url,
    statuses: settings.callbackStatuses,
    retryIntervalMs: settings.callbackRetryIntervalMs,
    poster,
  });
}

async function apiOf(
  { settings, profile, clock, book, refunds, reconciliation }: Core,
  more: {
    readonly keys: Keys;
    readonly signer: ReturnType<typeof createResponseSigner>;
    readonly baseUrl: () => string;
  },
): Promise<Api> {
  const authentication = createAuthentication({
    profileId: profile.profileId,
    merchantId: profile.merchantId,
    baseUrl: more.baseUrl,
    apiKeys: {
      own: [settings.apiKey],
      restricted: settings.restrictedApiKeys,
      foreign: settings.otherMerchantApiKeys,
    },
    merchantKeys: await merchantKeySource(settings.merchantKeys, clock.now),
  });
  const guard = createGuard({ authentication, signer: more.signer });
  const { bankAppIbanDelayMs } = settings;
  const payments = createApi({
    book,
    guard,
    keys: more.keys,
    now: clock.now,
    context: () => ({ baseUrl: more.baseUrl(), profile }),
    product: settings.product,
    requireHttpsCallbacks: settings.requireHttpsCallbacks,
    searchDelayMs: settings.searchDelayMs,
    bankAppIbanDelayMs,
  });
  const refunding = createRefundsApi({
    payments: book,
    refunds,
    guard,
    now: clock.now,
    bankAppIbanDelayMs,
  });
  const reconciling = createReconciliationApi({
    reconciliation,
    guard,
    now: clock.now,
    pageSize: settings.reconciliationPageSize,
  });
  const apis = [refunding, reconciling, payments];
  return {
    route: (request) => {
      for (const api of apis) {
        const route = api.route(request);
        if (route !== undefined) return route;
      }
      return undefined;
    },
  };
}

function refusalOf(listener: Listener, clock: Scheduler): Pick<SandboxFaults, 'refuse' | 'accept'> {
  return {
    refuse: async ({ forMs } = {}) => {
      await listener.refuse();
      if (forMs !== undefined) clock.at(clock.now() + forMs, () => listener.accept());
    },
    accept: () => listener.accept(),
  };
}
