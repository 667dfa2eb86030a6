import { constants } from 'node:fs';
import { access, readFile, stat } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { sha256Hex } from '../transport/digest.js';

/** Whether `path` is a regular file that this process may run. */
export async function isExecutable(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return (await stat(path)).isFile();
  } catch {
    return false;
  }
}

/** The first runnable `command` in the folders of `searchPath`, which is written like PATH. */
export async function findOnPath(command: string, searchPath: string): Promise<string | undefined> {
  for (const folder of searchPath.split(delimiter).filter((entry) => entry !== '')) {
    const candidate = join(folder, command);
    if (await isExecutable(candidate)) return candidate;
  }
  return undefined;
}

/** SHA-256 of a file's content in lower-case hex, or undefined where there is no such file. */
export async function sha256OfFile(path: string): Promise<string | undefined> {
  const content = await readFile(path).catch(ignoreAbsence);
  if (content === undefined) return undefined;
  return sha256Hex(content);
}

function ignoreAbsence(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error;
  return undefined;
}
