import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { Scheduler } from './clock.js';

/** An HTTP status; `none`: no connection, no answer, or none in time. */
export type CallbackAnswer = number | 'none';

export interface CallbackMessage {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface Exchanged {
  readonly answer: CallbackAnswer;
  readonly body: string;
}

export interface Poster {
  /** Sends once, on a connection of its own. Never rejects. */
  post(message: CallbackMessage): Promise<CallbackAnswer>;
  /** As `post`, with the answer's body; empty where none came. */
  ask(message: CallbackMessage): Promise<Exchanged>;
  /** Counts `work` among what `idle` waits for. */
  during(work: () => Promise<void>): Promise<void>;
  /** Resolves when nothing is being sent. */
  idle(): Promise<void>;
  /** Breaks off what is being sent; nothing is sent any more. */
  close(): void;
}

/** The time an answer may take is measured by the sandbox's clock, so that it can be advanced. */
export function createPoster(options: {
  readonly clock: Scheduler;
  readonly answerTimeoutMs: number;
}): Poster {
  const { clock, answerTimeoutMs } = options;
  const underWay = new Set<Promise<unknown>>();
  const closing = new AbortController();

  const track = async <T>(work: Promise<T>): Promise<T> => {
    underWay.add(work);
    try {
      return await work;
    } finally {
      underWay.delete(work);
    }
  };

  const ask = async (message: CallbackMessage): Promise<Exchanged> => {
    const late = new AbortController();
    const cancel = clock.at(clock.now() + answerTimeoutMs, () => late.abort());
    try {
      return await send(message, AbortSignal.any([late.signal, closing.signal]));
    } catch {
      return { answer: 'none', body: '' };
    } finally {
      cancel();
    }
  };

  const idle = async (): Promise<void> => {
    while (underWay.size > 0) await Promise.allSettled(underWay);
  };

  return {
    post: async (message) => (await track(ask(message))).answer,
    ask: (message) => track(ask(message)),
    during: (work) => track(work()),
    idle,
    close: () => closing.abort(),
  };
}

function send(message: CallbackMessage, signal: AbortSignal): Promise<Exchanged> {
  const { url, headers, body } = message;
  const request = url.startsWith('https:') ? httpsRequest : httpRequest;
  const length = String(Buffer.byteLength(body));
  return new Promise((resolve, reject) => {
    const sent = request(url, {
      method: 'POST',
      headers: { ...headers, 'content-length': length },
      agent: false,
      signal,
    });
    sent.once('error', reject);
    sent.once('response', (response) => {
      let text = '';
      response
        .setEncoding('utf8')
        .on('data', (chunk: string) => (text += chunk))
        .once('error', reject)
        .once('end', () => resolve({ answer: response.statusCode ?? 0, body: text }));
    });
    sent.end(body);
  });
}
