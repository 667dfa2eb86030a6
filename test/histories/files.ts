import { readdir, readFile, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { fileURLToPath } from 'node:url';
import proto from '@temporalio/proto';

const { History: HistoryMessage } = proto.temporal.api.history.v1;

type History = proto.temporal.api.history.v1.IHistory;

const FOLDER = fileURLToPath(new URL('.', import.meta.url));

/** The names of the recorded histories. */
export async function recordedNames(): Promise<readonly string[]> {
  const files = await readdir(FOLDER);
  return files.filter((file) => file.endsWith('.json')).map((file) => file.replace(/\.json$/, ''));
}

export function readHistory(name: string): Promise<string> {
  return readFile(`${FOLDER}${name}.json`, 'utf8');
}

export async function writeHistory(name: string, json: string): Promise<void> {
  await writeFile(`${FOLDER}${name}.json`, json);
}

/** A history as JSON, without what tells of the machine; none of that is compared on replay. */
export function toJson(history: History): string {
  const plain = HistoryMessage.toObject(HistoryMessage.fromObject(history), {
    longs: String,
    enums: String,
    bytes: String,
  });
  return `${JSON.stringify(plain, scrub, 1)}\n`;
}

function scrub(key: string, value: unknown): unknown {
  if (key === 'stackTrace') return '';
  // Task queues and identities are named after process and host.
  return typeof value === 'string'
    ? value.replaceAll(`${process.pid}@${hostname()}`, 'recorded')
    : value;
}

export function fromJson(json: string): proto.temporal.api.history.v1.History {
  return HistoryMessage.fromObject(JSON.parse(json) as Record<string, unknown>);
}
