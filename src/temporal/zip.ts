import { createReadStream, createWriteStream } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { PassThrough } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createInflateRaw } from 'node:zlib';

/** A file inside a zip archive; sizes and offsets in bytes. */
export interface ZipEntry {
  readonly name: string;
  readonly method: number;
  readonly compressedSize: number;
  readonly headerOffset: number;
}

const END_SIGNATURE = 0x06054b50;
const CENTRAL_SIGNATURE = 0x02014b50;
const LOCAL_SIGNATURE = 0x04034b50;
const END_SIZE = 22;
const CENTRAL_SIZE = 46;
const LOCAL_SIZE = 30;
const MAX_COMMENT_SIZE = 0xffff;
const STORED = 0;
const DEFLATED = 8;

/**
 * The entries of a zip archive, read from its central directory.
 * Neither zip64 nor encryption is understood: a wheel of one program needs neither.
 *
 * @throws Error where the file is no such archive.
 * @see PKWARE APPNOTE 6.3.10, 4.3.12 and 4.3.16
 */
export async function listZip(path: string): Promise<ZipEntry[]> {
  const file = await open(path);
  try {
    const end = await readEndRecord(file);
    const directory = await readExactly(file, {
      position: end.readUInt32LE(16),
      length: end.readUInt32LE(12),
    });
    return parseDirectory(directory, end.readUInt16LE(10));
  } finally {
    await file.close();
  }
}

/**
 * Writes one entry's content to `destination`, a new file made runnable for its owner and all.
 *
 * @throws Error where the entry cannot be read or `destination` exists.
 */
export async function extractZipEntry(
  entry: ZipEntry,
  { archive, destination }: { archive: string; destination: string },
): Promise<void> {
  const start = await contentOffset(entry, archive);
  await pipeline(
    createReadStream(archive, { start, end: start + entry.compressedSize - 1 }),
    decoder(entry),
    createWriteStream(destination, { mode: 0o755, flags: 'wx' }),
  );
}

async function readEndRecord(file: FileHandle): Promise<Buffer> {
  const { size } = await file.stat();
  const length = Math.min(size, END_SIZE + MAX_COMMENT_SIZE);
  const tail = await readExactly(file, { position: size - length, length });
  for (let at = tail.length - END_SIZE; at >= 0; at -= 1) {
    if (tail.readUInt32LE(at) === END_SIGNATURE) return tail.subarray(at);
  }
  throw new Error('not a zip archive: it has no end-of-directory record');
}

function parseDirectory(directory: Buffer, count: number): ZipEntry[] {
  const entries: ZipEntry[] = [];
  for (let at = 0; entries.length < count;) {
    if (directory.readUInt32LE(at) !== CENTRAL_SIGNATURE) {
      throw new Error('damaged zip archive: its directory ends early');
    }
    const nameLength = directory.readUInt16LE(at + 28);
    const trailer = directory.readUInt16LE(at + 30) + directory.readUInt16LE(at + 32);
    entries.push({
      name: directory.toString('utf8', at + CENTRAL_SIZE, at + CENTRAL_SIZE + nameLength),
      method: directory.readUInt16LE(at + 10),
      compressedSize: directory.readUInt32LE(at + 20),
      headerOffset: directory.readUInt32LE(at + 42),
    });
    at += CENTRAL_SIZE + nameLength + trailer;
  }
  return entries;
}

/** The local header repeats name and extra field, with lengths of its own. */
async function contentOffset(entry: ZipEntry, archive: string): Promise<number> {
  const file = await open(archive);
  try {
    const header = await readExactly(file, { position: entry.headerOffset, length: LOCAL_SIZE });
    if (header.readUInt32LE(0) !== LOCAL_SIGNATURE) {
      throw new Error(`damaged zip archive: "${entry.name}" is not where the directory says`);
    }
    return entry.headerOffset + LOCAL_SIZE + header.readUInt16LE(26) + header.readUInt16LE(28);
  } finally {
    await file.close();
  }
}

function decoder(entry: ZipEntry): NodeJS.ReadWriteStream {
  if (entry.method === DEFLATED) return createInflateRaw();
  if (entry.method === STORED) return new PassThrough();
  throw new Error(`zip entry "${entry.name}" has the unsupported method ${String(entry.method)}`);
}

async function readExactly(
  file: FileHandle,
  { position, length }: { position: number; length: number },
): Promise<Buffer> {
  const { bytesRead, buffer } = await file.read(Buffer.alloc(length), 0, length, position);
  if (bytesRead !== length) throw new Error('damaged zip archive: it ends early');
  return buffer;
}
