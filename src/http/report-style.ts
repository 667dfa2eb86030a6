/** How reports look: part of the page itself, which may load and run nothing. */
import { sha256Hex } from '../transport/digest.js';

export const REPORT_STYLE = `
:root { --ink: #1c2430; --soft: #5d6878; --line: #d9dee6; --bad: #b3261e; --good: #1a6b3c; --wait: #7a5a00; }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 1180px; padding: 40px 32px 56px; background: #fff; color: var(--ink);
  font: 14px/1.45 system-ui, -apple-system, "Segoe UI", Roboto, "Liberation Sans", Arial, sans-serif; }
header { border-bottom: 2px solid var(--ink); padding-bottom: 20px; }
.kicker { margin: 0; color: var(--soft); text-transform: uppercase; letter-spacing: .08em; font-size: 11px; }
h1 { margin: 4px 0 16px; font-size: 28px; line-height: 1.2; overflow-wrap: anywhere; }
h1 span { margin-left: 16px; color: var(--soft); font-weight: 400; white-space: nowrap; }
h2 { margin: 36px 0 10px; font-size: 18px; }
h3 { margin: 24px 0 2px; font-size: 15px; }
p { margin: 6px 0; }
.meaning { color: var(--soft); max-width: 74ch; margin-bottom: 8px; }
.verdict { margin: 0; padding: 12px 16px; border-left: 4px solid; border-radius: 2px; font-size: 16px; }
.verdict.good { border-color: var(--good); background: #eaf5ee; }
.verdict.bad { border-color: var(--bad); background: #fcedec; }
.verdict.waiting { border-color: var(--wait); background: #fdf6e3; }
table { width: 100%; border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: 7px 10px; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top; }
thead th { color: var(--soft); font-size: 12px; font-weight: 600; border-bottom-color: var(--ink); }
tbody th { font-weight: 600; }
.n { text-align: right; white-space: nowrap; }
.day { white-space: nowrap; }
.strong { font-weight: 600; }
.off { color: var(--bad); font-weight: 600; }
.none { color: #9aa4b2; }
code { font: 12px/1.4 ui-monospace, "SF Mono", "Liberation Mono", Consolas, monospace; overflow-wrap: anywhere; }
.id { display: block; color: var(--soft); font-size: 12px; }
.id i { font-style: normal; }
.breaks { table-layout: fixed; }
.breaks th:nth-child(1), .breaks th:nth-child(2) { width: 9%; }
.breaks th:nth-child(3) { width: 29%; }
.breaks th:nth-child(n+4):nth-child(-n+6) { width: 11.5%; }
.payouts td:first-child > code { white-space: nowrap; }
.badge { display: inline-block; padding: 1px 8px; border-radius: 9px; font-size: 12px; font-weight: 600; white-space: nowrap; }
.badge.open { color: var(--bad); background: #fcedec; }
.badge.explained { color: var(--good); background: #eaf5ee; }
.badge.closed { color: var(--soft); background: #eef1f5; }
.small, footer { color: var(--soft); font-size: 12px; }
.small h2 { font-size: 14px; color: var(--ink); }
footer { margin-top: 40px; padding-top: 12px; border-top: 1px solid var(--line); }
@media print {
  body { max-width: none; padding: 0; font-size: 11px; }
  thead { display: table-header-group; }
  tr, .verdict { break-inside: avoid; }
  h2, h3, .meaning { break-after: avoid; }
  .verdict, .badge { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
}
@page { size: A4 landscape; margin: 14mm; }
`;

const STYLE_DIGEST = Buffer.from(sha256Hex(REPORT_STYLE), 'hex').toString('base64');

/** A Content-Security-Policy: this style, and nothing else. */
export const REPORT_POLICY = [
  "default-src 'none'",
  `style-src 'sha256-${STYLE_DIGEST}'`,
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');
