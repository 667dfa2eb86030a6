/** The lives of a payment whose price is held, each on a real server, worker, store and provider. */
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import type { RestartableStore } from '../support/restartable-store.js';
import type { OpenedPayment, PaymentCost, Stage } from '../support/stage.js';

/** Paid, told by a notification, acknowledged by itself. */
export async function automatic({ open, sandbox }: Stage): Promise<PaymentCost> {
  const payment = await open();
  sandbox.consumer.pay(payment.atProvider.paymentId);
  return endedAs('captured', payment);
}

/** Paid, told by a notification, acknowledged when our client says so. */
export async function manual({ open, sandbox, client }: Stage): Promise<PaymentCost> {
  const payment = await open({ captureMode: 'manual' });
  sandbox.consumer.pay(payment.atProvider.paymentId);
  await client.waitForOutcome(payment.paymentId, { timeoutMs: 15_000 });
  await client.capture(payment.paymentId);
  return endedAs('captured', payment);
}

/** The notification is lost: found by asking, at the third time. */
export async function polled({ open, sandbox, attempts }: Stage): Promise<PaymentCost> {
  const payment = await open();
  loseNotifications(sandbox, payment);
  await attempts.reached(payment.workflowId, 'askProvider', 2);
  sandbox.consumer.pay(payment.atProvider.paymentId);
  return endedAs('captured', payment);
}

/** A stage whose server skips time. */
export interface SkippingStage extends Stage {
  readonly environment: TestWorkflowEnvironment;
  readonly store: RestartableStore;
}

/** Never paid, and found expired by asking, after the provider had nothing to tell for so long. */
export async function polledInSilence(stage: SkippingStage, hours: number): Promise<PaymentCost> {
  const { open, sandbox, environment } = stage;
  await agreeOnTime(stage);
  const payment = await open();
  loseNotifications(sandbox, payment);
  await environment.sleep(`${hours} hours`);
  await agreeOnTime(stage);
  return endedAs('expired', payment, environment);
}

/** As `automatic`, with the store down from before the opening until so long after the payment. */
export async function storeDown(stage: SkippingStage, minutes: number): Promise<PaymentCost> {
  const { open, sandbox, environment, store } = stage;
  await agreeOnTime(stage);
  await store.stop();
  const payment = await open();
  sandbox.consumer.pay(payment.atProvider.paymentId);
  await sandbox.waitForPayment(payment.atProvider.reference ?? '', { status: 'SUCCEEDED' });
  await environment.sleep(`${minutes} minutes`);
  await store.start();
  return endedAs('captured', payment, environment);
}

/** As `automatic`, with a provider that answers every acknowledge with an error for so long. */
export async function acknowledgeFails(stage: SkippingStage, hours: number): Promise<PaymentCost> {
  const { open, sandbox, attempts, environment } = stage;
  await agreeOnTime(stage);
  const payment = await open();
  const where = { paymentId: payment.atProvider.paymentId };
  const fault = sandbox.faults.always('acknowledge', { kind: 'error_before_effect' }, { where });
  sandbox.consumer.pay(payment.atProvider.paymentId);
  await attempts.reached(payment.workflowId, 'capturePayment', 2);
  await environment.sleep(`${hours} hours`);
  fault.remove();
  return endedAs('captured', payment, environment);
}

/** More than the slowest pace at which anything is repeated. */
const NEXT_REPEAT = '20 minutes';

async function endedAs(
  status: string,
  payment: OpenedPayment,
  environment?: TestWorkflowEnvironment,
): Promise<PaymentCost> {
  await environment?.sleep(NEXT_REPEAT);
  const ended = await payment.ended();
  if (ended.status !== status) throw new Error(`expected ${status}, ended ${ended.status}`);
  return payment.cost();
}

function loseNotifications({ faults }: Stage['sandbox'], { atProvider }: OpenedPayment): void {
  faults.always('callback', { kind: 'lose' }, { where: { paymentId: atProvider.paymentId } });
}

/** The provider's clock follows the server's, which has skipped ahead. */
async function agreeOnTime({ environment, sandbox }: SkippingStage): Promise<void> {
  const aheadMs = (await environment.currentTimeMs()) - sandbox.clock.now();
  await sandbox.clock.advance(Math.max(aheadMs, 0));
}
