/** The least that opening, being notified and capturing take: what Temporal itself costs. */
import {
  condition,
  defineSignal,
  defineUpdate,
  proxyActivities,
  setHandler,
} from '@temporalio/workflow';
import type { FloorActivities } from './floor.js';

const { openFloor, captureFloor } = proxyActivities<FloorActivities>({
  startToCloseTimeout: '10 seconds',
  retry: { maximumAttempts: 1 },
});

export async function floor(id: string): Promise<string> {
  let isOpen = false;
  let isNotified = false;
  setHandler(defineUpdate<string>('open'), async () => {
    await condition(() => isOpen);
    return id;
  });
  setHandler(defineSignal('notify'), () => void (isNotified = true));
  await openFloor(id);
  isOpen = true;
  await condition(() => isNotified);
  return captureFloor(id);
}
