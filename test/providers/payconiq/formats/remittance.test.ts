import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { buildOgm } from '../../../../src/providers/payconiq/formats/ogm.js';
import {
  buildRemittance,
  endToEndIdOf,
  parseRemittance,
  type BulkPayoutRemittance,
  type PartnerPaymentRemittance,
  type PaymentRemittance,
  type RefundRemittance,
  type Remittance,
} from '../../../../src/providers/payconiq/formats/remittance.js';
import { jsonVector } from '../vectors.js';
import { brokenFields, valueOf } from './outcome.js';
import { anyText, writableText } from './texts.js';

interface Sample {
  readonly line: number;
  readonly length: number;
  readonly text: string;
}
interface PaymentFields {
  readonly paymentId: string;
  readonly name: string;
  readonly reference: string;
  readonly description: string;
}
interface Vectors {
  readonly payment: { readonly fields: PaymentFields; readonly samples: readonly Sample[] };
  readonly partnerPayment: { readonly fields: PaymentFields; readonly samples: readonly Sample[] };
  readonly refund: {
    readonly fields: Omit<RefundRemittance, 'kind'>;
    readonly samples: readonly Sample[];
  };
  readonly structuredInvoice: { readonly samples: readonly Sample[] };
}

const vectors = await jsonVector<Vectors>('remittance');

const payment: PaymentRemittance = {
  kind: 'payment',
  paymentId: vectors.payment.fields.paymentId,
  merchantName: vectors.payment.fields.name,
  reference: vectors.payment.fields.reference,
  description: vectors.payment.fields.description,
};
const partnerPayment: PartnerPaymentRemittance = {
  kind: 'partner_payment',
  paymentId: vectors.partnerPayment.fields.paymentId,
  subMerchantName: vectors.partnerPayment.fields.name,
  reference: vectors.partnerPayment.fields.reference,
  description: vectors.partnerPayment.fields.description,
};
const refund: RefundRemittance = { kind: 'refund', ...vectors.refund.fields };
const bulk: BulkPayoutRemittance = {
  kind: 'bulk_payout',
  businessDate: '2020-08-24',
  endToEndId: '5f44fd40812c8c49d8705541',
  bulkId: 'Bulk-11111',
  merchantId: '5cc6e4c15a2c1100071f0a5f',
};

const plain = (text: string) => text.replaceAll('\u00a0', ' ');
const id = fc.stringMatching(/^[0-9a-f]{24}$/);
const column = (maxLength: number) =>
  writableText(maxLength).filter((text) => !/\u00a0|\s$/.test(text));
const remarks = (description: number) => ({
  reference: column(35),
  description: column(description),
});
const payments = fc.record(
  { paymentId: id, merchantName: column(23), ...remarks(46) },
  { requiredKeys: ['paymentId', 'merchantName'] },
);
const refunds = fc.record(
  { refundId: id, creditorName: column(23), ...remarks(31) },
  { requiredKeys: ['refundId', 'creditorName'] },
);
const DAY_MS = 86_400_000;
const day = fc.nat(40_000).map((days) => new Date(days * DAY_MS).toISOString().slice(0, 10));
const bulks = fc.record(
  {
    businessDate: day,
    endToEndId: fc.stringMatching(/^[0-9A-Za-z-]{24}$/),
    bulkId: fc.oneof(
      column(35),
      fc.stringMatching(/^[a-z-]{1,30}$/),
      fc.constantFrom('-', '--', 'PQ-BulkRecon', '-PQ-BulkRecon-', '20200824-', 'NONE'),
    ),
    merchantId: id,
  },
  { requiredKeys: ['businessDate', 'endToEndId', 'merchantId'] },
);
const remittances: fc.Arbitrary<Remittance> = fc.oneof(
  payments.map((fields) => ({ kind: 'payment' as const, ...fields })),
  refunds.map((fields) => ({ kind: 'refund' as const, ...fields })),
  bulks.map((fields) => ({ kind: 'bulk_payout' as const, ...fields })),
  fc.stringMatching(/^\d{10}$/).map((number) => ({
    kind: 'structured_invoice' as const,
    communication: valueOf(buildOgm(number)),
  })),
);

describe('the statement of one payment', () => {
  test.each(vectors.payment.samples)(
    'PCQ-32: is read from the sample of line $line, whose description is 35 wide ($length of 140)',
    ({ text, length }) => {
      expect(text).toHaveLength(length);
      expect(parseRemittance(text)).toEqual(payment);
    },
  );

  test.each(vectors.payment.samples)(
    'PCQ-32: is built in the table’s 140 characters, of which line $line prints the first $length',
    ({ text }) => {
      const built = valueOf(buildRemittance(payment));
      expect(built).toHaveLength(140);
      expect(built.startsWith(plain(text))).toBe(true);
    },
  );

  it('PCQ-32: may have a description of 46 characters', () => {
    const long = { ...payment, description: 'd'.repeat(46) };
    const built = valueOf(buildRemittance(long));
    expect(built).toHaveLength(140);
    expect(parseRemittance(built)).toEqual(long);
  });

  it('PCQ-32: is read where a bank cut the padding off, and without remarks', () => {
    const { reference: _r, description: _d, ...bare } = payment;
    expect(parseRemittance(valueOf(buildRemittance(payment)).trimEnd())).toEqual(payment);
    expect(parseRemittance(valueOf(buildRemittance(bare)).trimEnd())).toEqual(bare);
  });

  test.each([
    ['squeezed by a bank', plain(vectors.payment.samples[0]!.text).replace(/ +/g, ' ')],
    ['another issuer’s', valueOf(buildRemittance(payment)).replace('Payconiq', 'Paycheck')],
    ['without a payment id', valueOf(buildRemittance(payment)).replace('f60454', 'f60 54')],
    ['the id alone', `Payconiq ${payment.paymentId}`],
    ['longer than 140', `${valueOf(buildRemittance(payment))}x`],
    ['empty', ''],
  ])('PCQ-32: a line that is %s is not read', (_, text) => {
    expect(parseRemittance(text)).toBeUndefined();
  });

  test.each<[string, Partial<PaymentRemittance>, string]>([
    ['23 characters of id', { paymentId: 'f'.repeat(23) }, 'paymentId'],
    ['24 characters of name', { merchantName: 'n'.repeat(24) }, 'merchantName'],
    ['no name', { merchantName: '' }, 'merchantName'],
    ['36 characters of reference', { reference: 'r'.repeat(36) }, 'reference'],
    ['47 characters of description', { description: 'd'.repeat(47) }, 'description'],
    ['a line break', { description: 'a\nb' }, 'description'],
    ['a space at the end', { reference: 'r ' }, 'reference'],
  ])('PCQ-32: is refused for %s', (_, change, field) => {
    expect(brokenFields(buildRemittance({ ...payment, ...change }))).toContain(field);
  });
});

describe('the statement of a structured invoice', () => {
  test.each(vectors.structuredInvoice.samples)(
    'PCQ-33: is the OGM alone (line $line)',
    ({ text }) => {
      const read = parseRemittance(text);
      expect(read).toEqual({ kind: 'structured_invoice', communication: text });
      expect(valueOf(buildRemittance(read!))).toBe(text);
    },
  );

  it('PCQ-33: is read with the padding that the table speaks of, and as banks print it', () => {
    const read = { kind: 'structured_invoice', communication: '424779266492' };
    expect(parseRemittance('424779266492'.padEnd(46))).toEqual(read);
    expect(parseRemittance('424779266492'.padEnd(46, '\u00a0'))).toEqual(read);
    expect(parseRemittance('+++424/7792/66492+++')).toEqual(read);
  });

  it('PCQ-33: with wrong check digits is neither read nor built', () => {
    expect(parseRemittance('424779266493')).toBeUndefined();
    const wrong = { kind: 'structured_invoice', communication: '424779266493' } as Remittance;
    expect(brokenFields(buildRemittance(wrong))).toEqual(['communication']);
  });
});

describe('the statement on a partner’s account', () => {
  test.each(vectors.partnerPayment.samples)(
    'PCQ-34: names the sub-merchant (line $line, $length of 140)',
    ({ text, length }) => {
      expect(text).toHaveLength(length);
      expect(parseRemittance(text, { account: 'partner' })).toEqual(partnerPayment);
      expect(valueOf(buildRemittance(partnerPayment)).startsWith(plain(text))).toBe(true);
    },
  );

  it('PCQ-34: is refused for a sub-merchant’s name of 24 characters', () => {
    const long = { ...partnerPayment, subMerchantName: 's'.repeat(24) };
    expect(brokenFields(buildRemittance(long))).toEqual(['subMerchantName']);
  });
});

describe('the statement of a bulk payout', () => {
  it('PCQ-35: has date, end-to-end id, bulk id and merchant, separated by hyphens', () => {
    const text =
      '20200824-5f44fd40812c8c49d8705541-Bulk-11111-PQ-BulkRecon-5cc6e4c15a2c1100071f0a5f';
    expect(valueOf(buildRemittance(bulk))).toBe(text);
    expect(parseRemittance(text)).toEqual(bulk);
  });

  it.each(['-', 'a-b-', 'PQ-BulkRecon', '20200824-x-PQ-BulkRecon-y', 'centraal station pos-2'])(
    'PCQ-35: hyphens in the bulk id "%s" do not confuse',
    (bulkId) => {
      const read = { ...bulk, bulkId };
      expect(parseRemittance(valueOf(buildRemittance(read)))).toEqual(read);
    },
  );

  it('PCQ-35: is read with a bulk id that is padded, empty or left out', () => {
    const { bulkId: _, ...without } = bulk;
    const line = (bulkId: string) =>
      `20200824-${bulk.endToEndId}-${bulkId}PQ-BulkRecon-${bulk.merchantId}`;
    expect(parseRemittance(line(`${'Bulk-11111'.padEnd(35, '\u00a0')}-`))).toEqual(bulk);
    expect(parseRemittance(line('-'))).toEqual(without);
    expect(parseRemittance(line(''))).toEqual(without);
  });

  test.each([
    ['a day that there is not', '20200230', 'Bulk-11111'],
    ['36 characters of bulk id', '20200824', 'b'.repeat(36)],
  ])('PCQ-35: %s is not read', (_, date, bulkId) => {
    const line = `${date}-${bulk.endToEndId}-${bulkId}-PQ-BulkRecon-${bulk.merchantId}`;
    expect(parseRemittance(line)).toBeUndefined();
  });

  test.each<[string, Partial<BulkPayoutRemittance>, string]>([
    ['a day that there is not', { businessDate: '2020-02-30' }, 'businessDate'],
    ['a date of another form', { businessDate: '20200824' }, 'businessDate'],
    ['23 characters of end-to-end id', { endToEndId: 'e'.repeat(23) }, 'endToEndId'],
    ['36 characters of bulk id', { bulkId: 'b'.repeat(36) }, 'bulkId'],
    ['25 characters of merchant', { merchantId: 'm'.repeat(25) }, 'merchantId'],
  ])('PCQ-35: is refused for %s', (_, change, field) => {
    expect(brokenFields(buildRemittance({ ...bulk, ...change }))).toEqual([field]);
  });
});

describe('the statement of a refund', () => {
  test.each(vectors.refund.samples)(
    'PCQ-36: is read from the sample of line $line, printed with $length characters for 140',
    ({ text, length }) => {
      expect(text).toHaveLength(length);
      expect(parseRemittance(text)).toEqual(refund);
    },
  );

  test.each(vectors.refund.samples)(
    'PCQ-36: is built in the table’s 140 characters; line $line differs in its last spaces alone',
    ({ text }) => {
      const built = valueOf(buildRemittance(refund));
      expect(built).toHaveLength(140);
      expect(built.trimEnd()).toBe(plain(text).trimEnd());
    },
  );

  it('PCQ-36: is read without remarks, padding cut off', () => {
    const { reference: _r, description: _d, ...bare } = refund;
    expect(parseRemittance(valueOf(buildRemittance(bare)).trimEnd())).toEqual(bare);
  });

  it('PCQ-36: a merchant called "refund for" does not make a payment one', () => {
    const named = { ...payment, merchantName: 'refund for pets' };
    expect(parseRemittance(valueOf(buildRemittance(named)))).toEqual(named);
  });

  test.each<[string, Partial<RefundRemittance>, string]>([
    ['an id with a space', { refundId: `${'f'.repeat(23)} ` }, 'refundId'],
    ['24 characters of name', { creditorName: 'n'.repeat(24) }, 'creditorName'],
    ['32 characters of description', { description: 'd'.repeat(32) }, 'description'],
    ['36 characters of reference', { reference: 'r'.repeat(36) }, 'reference'],
  ])('PCQ-36: is refused for %s', (_, change, field) => {
    expect(brokenFields(buildRemittance({ ...refund, ...change }))).toContain(field);
  });
});

describe('any statement', () => {
  it('PCQ-32 PCQ-33 PCQ-35 PCQ-36: is read back as it was written, also with no-break spaces', () => {
    fc.assert(
      fc.property(remittances, (remittance) => {
        const text = valueOf(buildRemittance(remittance));
        expect(text.length).toBeLessThanOrEqual(140);
        expect(parseRemittance(text)).toEqual(remittance);
        expect(parseRemittance(text.replaceAll(' ', '\u00a0'))).toEqual(remittance);
        expect(parseRemittance(text.trimEnd())).toEqual(remittance);
      }),
    );
  });

  it('PCQ-34: of a partner is read back as it was written', () => {
    fc.assert(
      fc.property(payments, ({ merchantName, ...fields }) => {
        const kind = 'partner_payment' as const;
        const remittance = { kind, subMerchantName: merchantName, ...fields };
        const text = valueOf(buildRemittance(remittance));
        expect(parseRemittance(text, { account: 'partner' })).toEqual(remittance);
      }),
    );
  });

  it('PCQ-32 PCQ-33 PCQ-35 PCQ-36: reading never throws, and what is read can be written', () => {
    const damaged = fc
      .tuple(remittances, fc.nat(140), fc.nat(3), anyText(3))
      .map(([remittance, at, cut, put]) => {
        const text = valueOf(buildRemittance(remittance));
        return text.slice(0, at) + put + text.slice(at + cut);
      });
    fc.assert(
      fc.property(fc.oneof(damaged, anyText(200)), (text) => {
        const read = parseRemittance(text);
        if (read === undefined || /[\p{Cc}\p{Surrogate}]/u.test(text)) return;
        expect(brokenFields(buildRemittance(read))).toEqual([]);
      }),
    );
  });
});

describe('the end-to-end id of a statement’s entry', () => {
  const remittance = valueOf(buildRemittance(bulk));

  test.each([
    ['its own field', { remittance: 'anything', endToEndReference: ' E2E-1 ' }, 'E2E-1'],
    ['its own field before the text', { remittance, endToEndReference: 'E2E-1' }, 'E2E-1'],
    ['the text of a bulk payout', { remittance }, bulk.endToEndId],
    [
      'that text where SEPA says none',
      { remittance, endToEndReference: 'NOTPROVIDED' },
      bulk.endToEndId,
    ],
    ['nowhere else', { remittance: valueOf(buildRemittance(payment)) }, undefined],
  ])('PCQ-37: comes from %s', (_, entry, expected) => {
    expect(endToEndIdOf(entry)).toBe(expected);
  });
});
