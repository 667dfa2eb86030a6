/** An inbox whose raw bodies are encrypted: they name the payer. */
import type { KeyRing } from '../transport/keyring.js';
import { open, seal } from '../transport/seal.js';
import type { Inbox } from './inbox.js';

const CONTEXT = { context: 'inbox-body' };

/** `get` rejects with SealError when the key is missing or the body was tampered with. */
export function sealedInbox(inbox: Inbox, keys: KeyRing): Inbox {
  return {
    ...inbox,
    add: (notification) =>
      inbox.add({ ...notification, body: seal(keys, notification.body, CONTEXT) }),
    async get(id) {
      const found = await inbox.get(id);
      return found && { ...found, body: open(keys, found.body, CONTEXT) };
    },
  };
}
