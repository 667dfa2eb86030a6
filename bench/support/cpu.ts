import { readdir, readFile } from 'node:fs/promises';

/** CPU time in milliseconds by what it was spent in. */
export type CpuTime = Readonly<Record<string, number>>;

interface Process {
  readonly pid: number;
  readonly parent: number;
  readonly program: string;
  readonly cpuMs: number;
}

const TICK_MS = 10;

/** Of all that this process has started and is still there. Empty where there is no /proc. */
export async function cpuTime(): Promise<CpuTime> {
  const entries = await readdir('/proc').catch(() => []);
  const pids = entries.filter((name) => /^\d+$/.test(name));
  const processes = (await Promise.all(pids.map(readProcess))).filter((each) => each !== undefined);
  const sums: Record<string, number> = {};
  for (const { program, cpuMs } of familyOf(process.pid, processes)) {
    sums[program] = (sums[program] ?? 0) + cpuMs;
  }
  return sums;
}

export function cpuSince(before: CpuTime, after: CpuTime): CpuTime {
  return Object.fromEntries(
    Object.entries(after).map(([program, cpuMs]) => [program, cpuMs - (before[program] ?? 0)]),
  );
}

async function readProcess(pid: string): Promise<Process | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
  if (stat === undefined) return undefined;
  const [, program = '', rest = ''] = /^\d+ \((.*)\) (.*)$/s.exec(stat) ?? [];
  const fields = rest.split(' ');
  // Own and of children that are gone, in user and in system mode.
  const ticks = fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0);
  const cpuMs = ticks * TICK_MS;
  return { pid: Number(pid), parent: Number(fields[1]), program: nameOf(pid, program), cpuMs };
}

function nameOf(pid: string, program: string): string {
  if (Number(pid) === process.pid) return 'worker and callers';
  if (program.startsWith('temporal')) return 'Temporal';
  return program.startsWith('postgres') ? 'PostgreSQL' : 'provider';
}

function familyOf(root: number, processes: readonly Process[]): readonly Process[] {
  const own = processes.filter(({ pid }) => pid === root);
  const children = processes.filter(({ parent }) => parent === root);
  return [...own, ...children.flatMap(({ pid }) => familyOf(pid, processes))];
}
