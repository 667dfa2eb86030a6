import type { ReportedLine, ReportedPayout } from '../../src/domain/report.js';
import type { ReportCapability, ReportRequest } from '../../src/providers/provider.js';

export interface WholeReport {
  readonly payouts: readonly ReportedPayout[];
  readonly lines: readonly ReportedLine[];
  readonly pages: number;
}

/** Every page of a report, to the last. @throws Error where one is not found */
export async function wholeReport(
  reports: ReportCapability,
  request: ReportRequest,
): Promise<WholeReport> {
  const page = await reports.page(request);
  if (page.kind !== 'found') throw new Error(JSON.stringify(page));
  const { payouts, lines, nextCursor: cursor } = page;
  if (cursor === undefined) return { payouts, lines, pages: 1 };
  const rest = await wholeReport(reports, { ...request, cursor });
  return {
    payouts: [...payouts, ...rest.payouts],
    lines: [...lines, ...rest.lines],
    pages: rest.pages + 1,
  };
}
