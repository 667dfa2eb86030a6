import { Migrator, type Kysely, type Migration } from 'kysely';
import type { Tables } from '../database.js';
import { createExpectations } from './expectations.js';
import { createInbox } from './inbox.js';
import { createLedger } from './ledger.js';
import { createLoyalty } from './loyalty.js';
import { createPayers } from './payers.js';
import { createPayments } from './payments.js';
import { createReconciling } from './reconciling.js';
import { createRefunds } from './refunds.js';
import { createRunReports } from './run-reports.js';
import { createRequests } from './requests.js';

/** In the order of their names. What stands here has run somewhere: change it only by adding. */
const MIGRATIONS: Record<string, Migration> = {
  '0001_payments': createPayments,
  '0002_inbox': createInbox,
  '0003_requests': createRequests,
  '0004_expectations': createExpectations,
  '0005_payers': createPayers,
  '0006_loyalty': createLoyalty,
  '0007_refunds': createRefunds,
  '0008_ledger': createLedger,
  '0009_reconciling': createReconciling,
  '0010_run_reports': createRunReports,
};

/** Runs what has not run yet, under a lock of the database, all or nothing. */
export async function migrateToLatest(db: Kysely<Tables>): Promise<void> {
  const provider = { getMigrations: () => Promise.resolve(MIGRATIONS) };
  const { error } = await new Migrator({ db, provider }).migrateToLatest();
  if (error !== undefined) {
    throw error instanceof Error ? error : new Error('store: migrating failed', { cause: error });
  }
}
