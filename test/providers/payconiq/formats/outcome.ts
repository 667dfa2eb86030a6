import type { Checked } from '../../../../src/providers/payconiq/formats/check.js';

/** What was built, or a failure that says what is wrong with the input. */
export function valueOf<T>(checked: Checked<T>): T {
  if ('violations' in checked) throw new Error(JSON.stringify(checked.violations));
  return checked.value;
}

/** The fields that break a rule; none where it was built. */
export function brokenFields(checked: Checked<unknown>): string[] {
  return 'violations' in checked ? checked.violations.map(({ field }) => field) : [];
}
