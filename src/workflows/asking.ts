/** Questions to the provider, and what its answers change. */
import { condition } from '@temporalio/workflow';
import type { Terms } from '../domain/terms.js';
import type { AskInput, AskResult } from './contract.js';
import type { PaymentRun } from './run.js';
import { whileWanted } from './waiting.js';

/** When somebody said that there is news without proving it. */
export async function askIfHinted(run: PaymentRun): Promise<void> {
  if (!run.state.isHinted) return;
  run.state.isHinted = false;
  await askNow(run);
}

/**
 * Asks once, however long the provider takes to be reachable, unless a command comes that must not
 * wait for it. True when it was answered.
 */
export async function askNow(run: PaymentRun): Promise<boolean> {
  const { state } = run;
  const { wishes } = state;
  const asked = askInput(run, 'now');
  if (!asked) return false;
  const result = await run.withAttention('provider_silent', () =>
    whileWanted(
      () => state.wishes === wishes,
      () => run.proxies.ask.askProvider(asked),
    ),
  );
  if (result) takeIn(run, result);
  return result !== undefined;
}

/** Asks on and on until there is news; past the payer's time without any, a person is told. */
export async function askForNews(run: PaymentRun, isStill: () => boolean): Promise<void> {
  const asked = askInput(run, 'news');
  if (!asked) {
    await condition(() => !isStill());
    return;
  }
  const endsSoon = run.state.request.captureMode === 'automatic';
  const { askProvider } = endsSoon ? run.proxies.ask : run.proxies.askStoppable;
  const result = await whileWanted(isStill, () => askProvider(asked));
  if (result && result.facts.length === 0) run.needAttention('provider_silent');
  if (result) takeIn(run, result);
}

function askInput(run: PaymentRun, until: AskInput['until']): AskInput | undefined {
  const { state, timing } = run;
  const { askedReference, request, facts } = state;
  // Of what was given out and not begun, only the whole connection's listing tells unasked.
  const canAsk = askedReference !== undefined || (until === 'now' && state.origin === 'expected');
  if (!canAsk) return undefined;
  const { payerDeadline } = state.particulars.terms ?? {};
  const fromMs = Math.max(Date.now(), payerDeadline === undefined ? 0 : Date.parse(payerDeadline));
  return {
    request,
    ...(askedReference !== undefined && { providerReference: askedReference }),
    until,
    knownFactIds: facts.map(({ id }) => id),
    ...(payerDeadline !== undefined && { payerDeadline }),
    // Once a person has been told, of whatever, silence is not reported again and again.
    ...(!state.attention && { reportBy: new Date(fromMs + timing.attentionAfterMs).toISOString() }),
  };
}

function takeIn(run: PaymentRun, { facts, terms }: AskResult): void {
  const { state } = run;
  run.answersTaken += 1;
  const hasNews = state.learn(facts);
  if (terms) takeInTerms(run, terms);
  if (hasNews && state.attention?.reason === 'provider_silent') run.clearAttention();
}

/** Those of the beginning hold, until money is held: then the provider knows more. */
function takeInTerms(run: PaymentRun, terms: Terms): void {
  const { state } = run;
  const { terms: known } = state.particulars;
  const isHeld = state.view.status === 'authorized';
  if (known && !isHeld) return;
  state.particulars = { ...state.particulars, terms };
  if (known?.captureDeadline !== terms.captureDeadline) state.advance();
  if (known && !known.recoveries.capture && terms.recoveries.capture) {
    run.needAttention('unexpected_authorization');
  }
}
