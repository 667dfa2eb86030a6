/**
 * Where a provider registers payments of members of our loyalty scheme: verified, checked, stored,
 * and only then accepted. What the scheme makes of them is not ours to know until it tells.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { LOYALTY_PATH } from '../providers/connections.js';
import type { LoyaltyCapability } from '../providers/provider.js';
import { hmacSha256 } from '../transport/digest.js';
import { jsonAnswer, sendAnswer } from './answers.js';
import type { Context } from './api.js';
import { refusedFields } from './problems.js';
import {
  providerDoor,
  received,
  refusal,
  unknownAddress,
  type Addressee,
} from './provider-door.js';

interface Addressed extends Addressee {
  readonly door: LoyaltyCapability;
  /** Nobody knows it but the provider and us, and no table has it. */
  readonly token: string;
}

/** To be registered as a plugin of its own: it reads bodies of any type. */
export function loyaltyDoor(app: FastifyInstance, context: Context): void {
  const addresseeOf = providerDoor(app, context, (request) => addressed(context, request));
  app.post(`${LOYALTY_PATH}/:connectionId/:token`, { schema: { hide: true } }, (request, reply) =>
    take(context, { request, to: addresseeOf(request) }, reply),
  );
}

function addressed({ connections }: Context, { params }: FastifyRequest): Addressed {
  const { connectionId = '', token = '' } = params as Partial<Record<string, string>>;
  const isOurs = connections.isLoyaltyToken(connectionId, token);
  const door = connections.get(connectionId)?.loyalty;
  if (!isOurs || !door) throw unknownAddress();
  return { connectionId, door, token, maxBytes: door.maxBytes };
}

async function take(
  { store, connections, now }: Context,
  { request, to }: { readonly request: FastifyRequest; readonly to: Addressed },
  reply: FastifyReply,
): Promise<FastifyReply> {
  const { connectionId, door } = to;
  const { headers, body } = received(request);
  const receipt = await door.receive({ headers, body, url: connections.loyaltyUrl(connectionId) });
  if (receipt.kind === 'invalid') throw refusedFields(receipt.violations);
  if (receipt.kind !== 'registration') throw refusal(request, receipt, to);
  const { providerReference, member, amount, signature } = receipt;
  const kept = await store.loyalty.add({
    ...{ connectionId, providerReference, member, amount },
    // Keyed, because accounts can be guessed.
    memberHash: hmacSha256(to.token, `${providerReference}\n${member.memberId}`).toString(
      'base64url',
    ),
    evidence: { signature, body },
    receivedAt: new Date(now()).toISOString(),
  });
  const answer = door.answer(kept.state === 'done' ? (kept.result ?? {}) : undefined);
  return sendAnswer(reply, jsonAnswer(answer.status, answer.body));
}
