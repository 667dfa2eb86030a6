/** Payconiq's lines on bank statements in the contract's words (PCQ-32…37). */
import type { Checked } from '../../domain/problem.js';
import type { StatementCapability, StatementEntry, StatementLine } from '../provider.js';
import { check } from './formats/check.js';
import { parseOgm } from './formats/ogm.js';
import {
  buildRemittance,
  endToEndIdOf,
  parseRemittance,
  type Remittance,
} from './formats/remittance.js';

/** @see payconiq.txt L274-342, L6334-6408, L11497-11541, L11634-11675, L15028-15032 */
export const payconiqStatements: StatementCapability = { read, write };

function read({ text, endToEndId, account }: StatementEntry): StatementLine | undefined {
  const remittance = parseRemittance(text, { ...(account && { account }) });
  if (!remittance) return undefined;
  const known = endToEndIdOf({
    remittance: text,
    ...(endToEndId !== undefined && { endToEndReference: endToEndId }),
  });
  return { ...lineOf(remittance), ...(known !== undefined && { endToEndId: known }) };
}

function lineOf(remittance: Remittance): StatementLine {
  switch (remittance.kind) {
    case 'payment': {
      const { paymentId, merchantName, ...rest } = remittance;
      return { ...rest, providerReference: paymentId, payee: merchantName };
    }
    case 'partner_payment': {
      const { paymentId, subMerchantName, ...rest } = remittance;
      return { ...rest, providerReference: paymentId, payee: subMerchantName };
    }
    case 'refund': {
      const { refundId, creditorName, ...rest } = remittance;
      return { ...rest, providerReference: refundId, payee: creditorName };
    }
    case 'structured_invoice':
    case 'bulk_payout':
      return remittance;
  }
}

function write(line: StatementLine): Checked<string> {
  const remittance = remittanceOf(line);
  if ('violations' in remittance) return remittance;
  const written = buildRemittance(remittance.value);
  if ('value' in written) return written;
  const violations = written.violations.map((each) => ({
    ...each,
    field: CONTRACT_NAMES[each.field] ?? each.field,
  }));
  return { violations };
}

/** What the contract calls the columns of Payconiq's tables. */
const CONTRACT_NAMES: Readonly<Record<string, string>> = {
  paymentId: 'providerReference',
  refundId: 'providerReference',
  merchantName: 'payee',
  subMerchantName: 'payee',
  creditorName: 'payee',
};

function remittanceOf(line: StatementLine): Checked<Remittance> {
  switch (line.kind) {
    case 'payment': {
      const { kind, providerReference: paymentId, payee: merchantName, ...rest } = line;
      return { value: { ...rest, kind, paymentId, merchantName } };
    }
    case 'partner_payment': {
      const { kind, providerReference: paymentId, payee: subMerchantName, ...rest } = line;
      return { value: { ...rest, kind, paymentId, subMerchantName } };
    }
    case 'refund': {
      const { kind, providerReference: refundId, payee: creditorName, ...rest } = line;
      return { value: { ...rest, kind, refundId, creditorName } };
    }
    case 'structured_invoice': {
      const communication = parseOgm(line.communication);
      if (communication !== undefined) return { value: { kind: line.kind, communication } };
      const rule = 'must be a structured communication with right check digits';
      return { violations: check(false, { field: 'communication', rule }) };
    }
    case 'bulk_payout':
      return { value: line };
  }
}
