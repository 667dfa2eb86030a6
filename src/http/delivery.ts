/** A stored notification as news for its payment. */
import type { StoredNotification } from '../store/inbox.js';

export function noticeOf({ verdict, facts }: Pick<StoredNotification, 'verdict' | 'facts'>) {
  return verdict === 'hint' ? { facts: [], hint: true } : { facts };
}
