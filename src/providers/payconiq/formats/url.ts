/** The little of URLs that Payconiq's links need. Pure. */
import { check } from './check.js';
import type { Violation } from '../../../domain/problem.js';

/**
 * Percent-encodes all but RFC 3986's unreserved characters. `encodeURIComponent` alone leaves
 * `!'()*`, which some scanners take for the end of a link.
 */
export function encode(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

/** The decoded text, or undefined where the percent signs make no sense. `+` stays `+`. */
export function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

/** The pairs of a query, still encoded, in their order. */
export function queryPairs(query: string): readonly (readonly [name: string, value: string])[] {
  if (query === '') return [];
  return query.split('&').map((pair) => {
    const at = pair.indexOf('=');
    return at < 0 ? [pair, ''] : [pair.slice(0, at), pair.slice(at + 1)];
  });
}

/** How often a parameter stands in a link's query. */
export function countParameter(link: string, name: string): number {
  const at = link.indexOf('?');
  if (at < 0) return 0;
  return queryPairs(link.slice(at + 1)).filter(([found]) => found === name).length;
}

/** Appends parameters that are already encoded, and leaves what stands there as it is. */
export function append(link: string, pairs: readonly (readonly [string, string])[]): string {
  const query = pairs.map(([name, value]) => `${name}=${value}`).join('&');
  if (query === '') return link;
  return `${link}${link.includes('?') ? '&' : '?'}${query}`;
}

const MAX_URL_LENGTH = 2048;

/** An absolute https URL without a fragment. Its value is not told: links can carry tokens. */
export function checkHttpsUrl(field: string, url: string): readonly Violation[] {
  return [
    ...checkUrl(field, url),
    ...check(/^https:/i.test(url), { field, rule: 'must be https' }),
  ];
}

/** As `checkHttpsUrl`, for links that a sandbox may serve over plain http. */
export function checkUrl(field: string, url: string): readonly Violation[] {
  const isUrl = /^https?:\/\/[\x21-\x7e]+$/i.test(url) && URL.canParse(url);
  return [
    ...check(isUrl, { field, rule: 'must be an absolute URL in printable ASCII' }),
    ...check(!url.includes('#'), { field, rule: 'must have no fragment (#)' }),
    ...check(url.length <= MAX_URL_LENGTH, {
      field,
      rule: `must have at most ${MAX_URL_LENGTH} characters`,
      value: `${url.length} characters`,
    }),
  ];
}
