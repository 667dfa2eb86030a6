import { connect, createServer } from 'node:net';

const LOOPBACK = '127.0.0.1';
const LOWEST_PORT = 10_000;
// The kernel hands out 32768 and above to outgoing connections, which could take the port first.
const HIGHEST_PORT = 32_767;
const MAX_TRIES = 100;

/**
 * A TCP port on 127.0.0.1 in 10000..32767 that nobody listens on now. Another process may take it
 * before the caller does, so the caller must be ready to ask for another one.
 *
 * @throws Error where a hundred random ports were all taken.
 */
export async function freePort(): Promise<number> {
  for (let tries = 0; tries < MAX_TRIES; tries += 1) {
    const port = LOWEST_PORT + Math.floor(Math.random() * (HIGHEST_PORT - LOWEST_PORT + 1));
    if (await isFree(port)) return port;
  }
  throw new Error(`no free port found on ${LOOPBACK}`);
}

function isFree(port: number): Promise<boolean> {
  return new Promise((answer) => {
    const probe = createServer();
    probe.once('error', () => answer(false));
    probe.listen({ port, host: LOOPBACK, exclusive: true }, () => {
      probe.close(() => answer(true));
    });
  });
}

/** Whether somebody accepts connections on this port of 127.0.0.1. */
export function isListening(port: number): Promise<boolean> {
  return new Promise((answer) => {
    const socket = connect({ port, host: LOOPBACK });
    socket.once('connect', () => {
      socket.destroy();
      answer(true);
    });
    socket.once('error', () => answer(false));
  });
}
