/**
 * Payconiq's answers to a creation and an acknowledge, and nothing behind them: a process of its
 * own, so that the provider's work is not counted as ours. Tells its parent its address.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

const LIFE_MS = 120_000;
let created = 0;

const server = createServer((request, response) => {
  request.resume().once('end', () => {
    if (request.url !== '/v3/payments') return void response.writeHead(204).end();
    const body = JSON.stringify(creation());
    response.writeHead(201, { 'content-type': 'application/json' }).end(body);
  });
});
server.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port));
process.once('disconnect', () => process.exit());

function creation(): object {
  const paymentId = (created += 1).toString(16).padStart(24, '0');
  const link = (name: string) => ({ href: `https://payconiq.example/${name}/${paymentId}` });
  return {
    paymentId,
    status: 'PENDING',
    createdAt: new Date().toISOString(),
    expiresAt: new Date(Date.now() + LIFE_MS).toISOString(),
    description: 'bench',
    reference: 'bench',
    amount: 1250,
    currency: 'EUR',
    creditor: {
      profileId: 'profile',
      merchantId: 'merchant',
      name: 'Shop',
      iban: 'NL47FRBK0293409698',
    },
    _links: {
      self: link('self'),
      deeplink: link('deeplink'),
      qrcode: link('qrcode'),
      cancel: link('cancel'),
    },
  };
}
