import { limited } from './waiting.js';

/** Rounds that are played once each, all from the beginning, so many at a time. */
export interface Rounds<Round> {
  /** The round of this name, as soon as it has been played. */
  of(name: string): Promise<Round>;
  settled(): Promise<void>;
}

export function playRounds<Round>(
  atATime: number,
  rounds: Readonly<Record<string, () => Promise<Round>>>,
): Rounds<Round> {
  const inTurn = limited(atATime);
  const playing = new Map(
    Object.entries(rounds).map(([name, play]) => [name, inTurn(play)] as const),
  );
  // Each failure is told by the tests that ask for its round.
  playing.forEach((round) => void round.catch(() => undefined));
  return {
    of(name) {
      const round = playing.get(name);
      if (!round) throw new Error(`there is no round ${name}`);
      return round;
    },
    settled: async () => void (await Promise.allSettled(playing.values())),
  };
}
