/** The report of a run as one page: for finance people, on a screen or printed. */
import { localTimeOf } from '../domain/calendar.js';
import { currencyExponent } from '../domain/currencies.js';
import { formatDecimal, subtractMoney, minorOf, type Money } from '../domain/money.js';
import type {
  BreakKind,
  FoundBreak,
  ListingProgress,
  ReconciliationRun,
  ReportScope,
  StoredPayout,
  Tally,
} from '../domain/reconciliation.js';
import { html, Html } from './html.js';
import { REPORT_STYLE } from './report-style.js';
import { BREAK_WORDS, EXPLANATION_WORDS, STATUS_WORDS } from './report-words.js';

export interface Report {
  readonly run: ReconciliationRun;
  /** Those that do not tie first. */
  readonly payouts: readonly StoredPayout[];
  readonly breaks: readonly FoundBreak[];
  /** How many breaks are not shown. */
  readonly furtherBreaks: number;
}

const STYLE = new Html(`<style>${REPORT_STYLE}</style>`);

/** A whole document. Needs nothing from elsewhere and runs nothing. */
export function reportPage(report: Report): string {
  const { run } = report;
  const title = `Reconciliation of ${run.connectionId}, ${scopeWords(run.scope)}`;
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>${title}</title>
        ${STYLE}
      </head>
      <body>
        <header>
          <p class="kicker">Reconciliation report</p>
          <h1>${run.connectionId}<span>${scopeWords(run.scope)}</span></h1>
          ${verdictOf(run)}
        </header>
        <main>
          ${totalsOf(run)} ${kindsOf(run)} ${breaksOf(report)} ${payoutsOf(report)}
          ${listingsOf(run.listings)}
        </main>
        <footer>
          <p>
            Run <code>${run.runId}</code>, asked for
            ${localTimeOf(run.requestedAt, run.timeZone)}${
              run.finishedAt === undefined
                ? ''
                : html`, ended ${localTimeOf(run.finishedAt, run.timeZone)}`
            }.
            Days and times are those of ${run.timeZone}.
          </p>
          <p>
            The report of a run that has ended shows how it left things, and does not change.
            Amounts of breaks are added up without their sign.
          </p>
        </footer>
      </body>
    </html> `.text;
}

function verdictOf({ status, problem, totals }: ReconciliationRun): Html {
  if (status === 'running') {
    return html`<p class="verdict waiting">
      <strong>Still running.</strong> What follows is not all.
    </p>`;
  }
  if (problem) {
    return html`<p class="verdict bad">
      <strong>Given up.</strong> ${problem.message} (${problem.code}). Nothing here says that what
      is missing is wrong.
    </p>`;
  }
  const open = (totals?.breaks ?? []).reduce((sum, each) => sum + each.open.count, 0);
  if (open === 0) return html`<p class="verdict good"><strong>Everything ties.</strong></p>`;
  const words = open === 1 ? '1 open break' : `${count(open)} open breaks`;
  return html`<p class="verdict bad">
    <strong>${words}</strong>, ${amountsOf(totals?.unexplained ?? [])} unexplained.
  </p>`;
}

function totalsOf({ totals }: ReconciliationRun): Html {
  if (!totals) return html``;
  const { payments, refunds, payouts } = totals;
  return html`<section>
    <h2>Totals</h2>
    <table>
      <thead>
        <tr>
          <th>What</th>
          <th class="n">Reported</th>
          <th class="n">Amount</th>
          <th class="n">Matched</th>
          <th class="n">Amount</th>
        </tr>
      </thead>
      <tbody>
        ${totalRow('Payments', payments.seen, payments.matched)}
        ${totalRow('Refunds', refunds.seen, refunds.matched)}
      </tbody>
      <thead>
        <tr>
          <th></th>
          <th class="n">Listed</th>
          <th class="n">Amount</th>
          <th class="n">Succeeded</th>
          <th class="n">Amount</th>
        </tr>
      </thead>
      <tbody>
        ${totalRow('Payouts', payouts.seen, payouts.succeeded)}
      </tbody>
    </table>
  </section>`;
}

function totalRow(name: string, seen: Tally, good: Tally): Html {
  const isAll = seen.count === good.count;
  return html`<tr>
    <th scope="row">${name}</th>
    <td class="n">${count(seen.count)}</td>
    <td class="n">${amountsOf(seen.amounts)}</td>
    <td class="n ${isAll ? '' : 'off'}">${count(good.count)}</td>
    <td class="n ${isAll ? '' : 'off'}">${amountsOf(good.amounts)}</td>
  </tr>`;
}

function kindsOf({ totals }: ReconciliationRun): Html {
  if (!totals || totals.breaks.length === 0) return html``;
  const tally = ({ count: many, amounts }: Tally, name: string): Html =>
    many === 0
      ? html`<td class="n none">0</td>
          <td class="n none">–</td>`
      : html`<td class="n ${name}">${count(many)}</td>
          <td class="n ${name}">${amountsOf(amounts)}</td>`;
  const rows = totals.breaks.map(
    ({ kind, open, explained, closed }) =>
      html`<tr>
        <th scope="row">${BREAK_WORDS[kind][0]}</th>
        ${tally(open, 'off')}${tally(explained, 'ok')}${tally(closed, 'ok')}
      </tr>`,
  );
  return html`<section>
    <h2>Breaks by kind</h2>
    <table>
      <thead>
        <tr>
          <th>Kind</th>
          <th class="n">Open</th>
          <th class="n">Amount</th>
          <th class="n">Explained</th>
          <th class="n">Amount</th>
          <th class="n">Closed</th>
          <th class="n">Amount</th>
        </tr>
      </thead>
      <tbody>
        ${rows}
      </tbody>
    </table>
  </section>`;
}

function breaksOf({ breaks, furtherBreaks, run: { timeZone } }: Report): Html {
  if (breaks.length === 0)
    return html`<section>
      <h2>Breaks</h2>
      <p>None.</p>
    </section>`;
  const kinds = [...new Set(breaks.map(({ kind }) => kind))];
  const more =
    furtherBreaks === 0
      ? html``
      : html`<p>${count(furtherBreaks)} more are not shown here; the CSV has them all.</p>`;
  const parts = kinds.map((kind) =>
    breaksOfKind(
      kind,
      breaks.filter((each) => each.kind === kind),
      timeZone,
    ),
  );
  return html`<section>
    <h2>Breaks</h2>
    ${parts}${more}
  </section>`;
}

function breaksOfKind(kind: BreakKind, breaks: readonly FoundBreak[], timeZone: string): Html {
  const [title, meaning] = BREAK_WORDS[kind];
  const rows = breaks.map(
    (each) =>
      html`<tr>
        <td><span class="badge ${each.status}">${STATUS_WORDS[each.status]}</span></td>
        <td class="day">${each.businessDay}</td>
        <td>${subjectOf(each)}</td>
        <td class="n">${each.ours ? amountOf(each.ours) : '–'}</td>
        <td class="n">${each.theirs ? amountOf(each.theirs) : '–'}</td>
        <td class="n strong">${each.difference ? signed(each.difference) : '–'}</td>
        <td>${noteOf(each, timeZone)}</td>
      </tr>`,
  );
  return html`<h3>${title}</h3>
    <p class="meaning">${meaning}</p>
    <table class="breaks">
      <thead>
        <tr>
          <th>Status</th>
          <th>Day</th>
          <th>What</th>
          <th class="n">Ours</th>
          <th class="n">Theirs</th>
          <th class="n">Difference</th>
          <th>Note</th>
        </tr>
      </thead>
      <tbody>
        ${rows}
      </tbody>
    </table>`;
}

function subjectOf(found: FoundBreak): Html {
  const { subject, paymentId, refundId, providerReference, refundReference, payoutReference } =
    found;
  const ids: readonly (readonly [string, string | undefined])[] = [
    ['our payment', paymentId],
    ['our refund', refundId],
    ['their payment', providerReference],
    ['their refund', refundReference],
    ['payout', payoutReference],
  ];
  const told = ids.map(([name, id]) =>
    id === undefined ? html`` : html`<span class="id"><i>${name}</i> <code>${id}</code></span>`,
  );
  return html`<b>${subject}</b>${told}`;
}

function noteOf({ explanation, resolution, breakId }: FoundBreak, timeZone: string): Html {
  const words = explanation
    ? html`${EXPLANATION_WORDS[explanation.by]}`
    : resolution
      ? html`${resolution.reason}
          <i>(${resolution.actor}, ${localTimeOf(resolution.at, timeZone)})</i>`
      : html``;
  return html`${words}<span class="id"><i>break</i> <code>${breakId}</code></span>`;
}

function payoutsOf({ payouts, run }: Report): Html {
  const seen = run.totals?.payouts.seen.count ?? payouts.length;
  if (payouts.length === 0) return html``;
  const rows = payouts.map(
    (payout) =>
      html`<tr>
        <td>
          <code>${payout.payoutReference}</code
          >${payout.group === undefined ? '' : html`<span class="id"><i>group</i> ${payout.group}</span>`}
        </td>
        <td class="day">
          ${payout.paidAt === undefined ? '–' : localTimeOf(payout.paidAt, run.timeZone)}
        </td>
        <td><code>${payout.account ?? '–'}</code></td>
        <td class="n">${count(payout.payments.count)}</td>
        <td class="n">${amountOf(payout.payments.amount)}</td>
        <td class="n">${count(payout.refunds.count)}</td>
        <td class="n">${amountOf(payout.refunds.amount)}</td>
        <td class="n strong">${amountOf(payout.amount)}</td>
        <td>${tieOf(payout)}</td>
      </tr>`,
  );
  const more =
    seen > payouts.length
      ? html`<p>${count(seen - payouts.length)} more are not shown.</p>`
      : html``;
  return html`<section>
    <h2>Payouts</h2>
    <table class="payouts">
      <thead>
        <tr>
          <th>Payout</th>
          <th>Made</th>
          <th>Account</th>
          <th class="n">Payments</th>
          <th class="n">Amount</th>
          <th class="n">Refunds</th>
          <th class="n">Amount</th>
          <th class="n">Paid out</th>
          <th>Ties</th>
        </tr>
      </thead>
      <tbody>
        ${rows}
      </tbody>
    </table>
    ${more}
  </section>`;
}

/** With its own totals first, then with its lines. */
function tieOf({ status, payments, refunds, amount, lines }: StoredPayout): Html {
  if (status === 'failed') return html`<span class="badge open">failed</span>`;
  const off = subtractMoney(amount, subtractMoney(payments.amount, refunds.amount));
  if (off.minor !== '0') return html`<span class="badge open">off by ${signed(off)}</span>`;
  const isItsLines = isTold(lines.payments, payments) && isTold(lines.refunds, refunds);
  if (isItsLines) return html`<span class="badge explained">ties</span>`;
  const known = lines.payments.count + lines.refunds.count;
  const words = `${count(known)} of ${count(payments.count + refunds.count)} lines known`;
  return known === payments.count + refunds.count
    ? html`<span class="badge open">lines differ in amount</span>`
    : html`<span class="badge open">${words}</span>`;
}

function isTold(lines: Tally, told: StoredPayout['payments']): boolean {
  const sum = lines.amounts[0]?.minor ?? '0';
  return lines.count === told.count && sum === told.amount.minor;
}

function listingsOf(listings: readonly ListingProgress[]): Html {
  if (listings.length === 0) return html``;
  const rows = listings.slice(0, LISTINGS_SHOWN).map(
    ({ listing, pages, rows: lines, isComplete }) =>
      html`<tr>
        <td>${listing.kind}</td>
        <td>
          ${scopeWords(listing.by)}${listing.round === undefined ? '' : `, asked again (${listing.round})`}
        </td>
        <td class="n">${count(pages)}</td>
        <td class="n">${count(lines)}</td>
        <td>${isComplete ? 'complete' : 'not complete'}</td>
      </tr>`,
  );
  return html`<section class="small">
    <h2>What was asked of the provider</h2>
    <table>
      <thead>
        <tr>
          <th>List</th>
          <th>Of</th>
          <th class="n">Pages</th>
          <th class="n">Rows</th>
          <th></th>
        </tr>
      </thead>
      <tbody>
        ${rows}
      </tbody>
    </table>
  </section>`;
}

const LISTINGS_SHOWN = 50;

function scopeWords(scope: ReportScope): string {
  if ('payoutReference' in scope) return `payout ${scope.payoutReference}`;
  const { from, to } = scope.days;
  return from === to ? from : `${from} to ${to}`;
}

function amountsOf(amounts: readonly Money[]): string {
  return amounts.length === 0 ? '–' : amounts.map(amountOf).join(' + ');
}

/** `EUR 1,234.50` */
function amountOf(amount: Money): string {
  const { currency, minor } = amount;
  if (currencyExponent(currency) === undefined) return `${currency} ${minor} minor units`;
  const [whole = '', fraction] = formatDecimal(amount).split('.');
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, ',');
  return `${currency} ${fraction === undefined ? grouped : `${grouped}.${fraction}`}`;
}

function signed(amount: Money): string {
  return minorOf(amount) > 0n ? amountOf(amount).replace(' ', ' +') : amountOf(amount);
}

function count(many: number): string {
  return many.toLocaleString('en-US');
}
