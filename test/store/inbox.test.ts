import { describe, expect, it } from 'vitest';
import { InvalidCursor } from '../../src/store/errors.js';
import { BACKENDS, useStore } from './backends.js';
import { aNotification, uniqueId } from './examples.js';

const DUE = { olderThanMs: 0, limit: 100 };

for (const backend of BACKENDS) {
  describe(`the inbox on ${backend.name}`, () => {
    const store = useStore(backend);
    const inbox = () => store().inbox;

    const dueIds = async (wanted = DUE) =>
      (await inbox().listUndelivered(wanted)).map(({ id }) => id);

    it('gives back the notification as it came', async () => {
      const notification = aNotification({ paymentId: 'pay-1', providerReference: 'obj-1' });
      const { id, isNew } = await inbox().add(notification);
      expect(isNew).toBe(true);
      expect(await inbox().get(id)).toEqual({
        ...notification,
        id,
        state: 'undelivered',
        deliveries: 1,
        attempts: 0,
      });
    });

    it('counts a repeat on the row there is', async () => {
      const notification = aNotification();
      const first = await inbox().add(notification);
      await inbox().markDelivered(first.id);
      const repeat = await inbox().add({ ...notification, body: new Uint8Array([9]) });
      expect(repeat).toEqual({ id: first.id, isNew: false });
      const kept = await inbox().get(first.id);
      expect(kept).toMatchObject({ deliveries: 2, state: 'delivered', body: notification.body });
    });

    it('tells events of two connections apart', async () => {
      const eventId = uniqueId('event');
      const a = await inbox().add(aNotification({ eventId }));
      const b = await inbox().add(aNotification({ eventId }));
      expect(b.isNew).toBe(true);
      expect(b.id).not.toBe(a.id);
    });

    it('makes an unmatched notification due again when it is repeated', async () => {
      const notification = aNotification();
      const { id } = await inbox().add(notification);
      expect(await dueIds()).toContain(id);
      await inbox().markUnmatched(id);
      expect(await dueIds()).not.toContain(id);
      await inbox().add({ ...notification, paymentId: 'pay-2' });
      expect(await inbox().get(id)).toMatchObject({
        ...{ state: 'undelivered', paymentId: 'pay-2', attempts: 0 },
      });
      expect(await dueIds()).toContain(id);
    });

    it('hands out a notification once, until it is due again', async () => {
      const { id } = await inbox().add(aNotification());
      expect(await dueIds({ olderThanMs: 60_000, limit: 100 })).not.toContain(id);
      expect(await dueIds()).toContain(id);
      expect(await dueIds()).not.toContain(id);
      await inbox().postpone(id, { delayMs: 0, reason: 'no answer' });
      expect(await dueIds()).toContain(id);
      expect(await inbox().get(id)).toMatchObject({ attempts: 2, lastReason: 'no answer' });
      await inbox().postpone(id, { delayMs: 60_000, reason: 'still none' });
      expect(await dueIds()).not.toContain(id);
    });

    it('hands out the longest due first, up to the limit', async () => {
      await drain();
      const ids: string[] = [];
      for (let n = 0; n < 4; n += 1) ids.push((await inbox().add(aNotification())).id);
      expect(await dueIds({ olderThanMs: 0, limit: 3 })).toEqual(ids.slice(0, 3));
      expect(await dueIds({ olderThanMs: 0, limit: 3 })).toEqual(ids.slice(3));
    });

    it('shares the due ones among simultaneous dispatchers', async () => {
      await drain();
      const added = await Promise.all(
        Array.from({ length: 12 }, () => inbox().add(aNotification())),
      );
      const claims = await Promise.all(
        Array.from({ length: 4 }, () => dueIds({ olderThanMs: 0, limit: 6 })),
      );
      const handedOut = [...claims.flat(), ...(await dueIds())];
      expect(handedOut.sort()).toEqual(added.map(({ id }) => id).sort());
    });

    it('does not hand out what was delivered, and remembers to whom', async () => {
      const { id } = await inbox().add(aNotification());
      await inbox().markDelivered(id, { paymentId: 'pay-3' });
      expect(await dueIds()).not.toContain(id);
      expect(await inbox().get(id)).toMatchObject({ state: 'delivered', paymentId: 'pay-3' });
    });

    it('replays', async () => {
      const { id } = await inbox().add(aNotification());
      await dueIds();
      await inbox().markDelivered(id);
      expect(await inbox().replay(id)).toBe(true);
      expect(await inbox().get(id)).toMatchObject({ state: 'undelivered', attempts: 0 });
      expect(await dueIds()).toContain(id);
    });

    it('knows nothing of ids that are none', async () => {
      for (const id of ['999999999', 'x', '', '-1', '9'.repeat(30)]) {
        expect(await inbox().get(id)).toBeUndefined();
        expect(await inbox().replay(id)).toBe(false);
      }
    });

    it('lists newest first, by connection, payment and state, page by page', async () => {
      const connectionId = uniqueId('shop');
      const paymentId = uniqueId('pay');
      const a = await inbox().add(aNotification({ connectionId, paymentId }));
      const b = await inbox().add(aNotification({ connectionId }));
      const c = await inbox().add(aNotification({ connectionId }));
      await inbox().markUnmatched(b.id);
      const ids = async (filter: object) =>
        (await inbox().list({ connectionId, limit: 9, ...filter })).notifications.map(
          ({ id }) => id,
        );
      expect(await ids({})).toEqual([c.id, b.id, a.id]);
      expect(await ids({ paymentId })).toEqual([a.id]);
      expect(await ids({ state: 'unmatched' })).toEqual([b.id]);
      const first = await inbox().list({ connectionId, limit: 2 });
      expect(first.nextCursor).toBeDefined();
      expect(await ids({ limit: 2, after: first.nextCursor })).toEqual([a.id]);
      await expect(inbox().list({ after: 'x', limit: 1 })).rejects.toBeInstanceOf(InvalidCursor);
    });

    it('counts refusals by connection, reason and day', async () => {
      const connectionId = uniqueId('shop');
      const count = (reason: string) => inbox().countRefused({ connectionId, reason });
      await Promise.all([count('forged'), count('forged'), count('oversized')]);
      const refusals = (await inbox().refusals()).filter((r) => r.connectionId === connectionId);
      const day: unknown = expect.stringMatching(/^\d{4}-\d\d-\d\d$/);
      expect(refusals).toEqual([
        { connectionId, reason: 'forged', day, count: 2 },
        { connectionId, reason: 'oversized', day, count: 1 },
      ]);
    });

    async function drain(): Promise<void> {
      while ((await dueIds()).length > 0);
    }
  });
}
