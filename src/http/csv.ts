/** Comma-separated values (RFC 4180) that a spreadsheet shows and never runs. */

export type Cell = string | number | undefined;

/** One record with its line end. */
export function csvRecord(cells: readonly Cell[]): string {
  return `${cells.map(written).join(',')}\r\n`;
}

const PLAIN_NUMBER = /^-?\d+(\.\d+)?$/;
/** What spreadsheets take for the beginning of a formula; full-width signs too. */
const BEGINS_FORMULA = /^[\s]*[=+\-@\t\r＝＋－＠]/;

/** A text that could be a formula is preceded by an apostrophe: then it is a text. */
function written(cell: Cell): string {
  const text = String(cell ?? '');
  const isFormula = BEGINS_FORMULA.test(text) && !PLAIN_NUMBER.test(text);
  const safe = isFormula ? `'${text}` : text;
  return /[",\r\n\t']/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
