/** `holdfast connection …`: what operators ask of connections, through the API. */
import { writeFile } from 'node:fs/promises';
import type { Command } from 'commander';
import type { Config } from '../config.js';
import { apiTarget, callApi, fetchBytes, type ApiTarget } from './api.js';
import { say } from './processes.js';

export function connectionCommands(program: Command, config: () => Config): void {
  const connection = program
    .command('connection')
    .description('look at connections to providers, through the API')
    .option('--url <url>', 'of the API; else that of the configuration');
  const target = (): ApiTarget => apiTarget(config(), connection.opts<{ url?: string }>().url);

  connection
    .command('list')
    .description('all of them, as JSON')
    .action(async () => say(await asJson(target(), 'GET', '/v1/connections')));

  connection
    .command('urls <connectionId>')
    .description('what to enter at the provider')
    .action(async (connectionId: string) => {
      const path = `/v1/connections/${encodeURIComponent(connectionId)}/urls`;
      say(await asJson(target(), 'GET', path));
    });

  connection
    .command('sweep <connectionId>')
    .description('look now for what no notification told')
    .action(async (connectionId: string) => {
      const path = `/v1/connections/${encodeURIComponent(connectionId)}/sweep`;
      say(await asJson(target(), 'POST', path));
    });

  connection
    .command('code <connectionId>')
    .description('a code to be printed, as JSON; with --out its image')
    .requiredOption('--kind <kind>', 'Payconiq: sticker, receipt, invoice or topUp')
    .option('--cents <cents>', 'the amount, in euro cents')
    .option('--pos-id <posId>', 'of a sticker')
    .option('--description <text>')
    .option('--reference <text>')
    .option('--communication <ogm>', 'of an invoice, structured')
    .option('--invoice-number <digits>', 'of an invoice: its communication is made of it')
    .option('--out <file>', 'where to write the image, .png or .svg')
    .option('--size <size>', 'of a PNG: S, M, L or XL')
    .option('--colour <colour>', 'magenta or black')
    .action(async (connectionId: string, { out, size, colour, cents, ...asked }: CodeOptions) => {
      const path = `/v1/connections/${encodeURIComponent(connectionId)}/codes`;
      const amount = cents === undefined ? {} : { amount: { minor: cents, currency: 'EUR' } };
      const code = await callApi<{ content: string }>(target(), 'POST', path, {
        ...asked,
        ...amount,
      });
      say(JSON.stringify(code, null, 2));
      if (out === undefined) return;
      const format = /\.svg$/i.test(out) ? 'SVG' : 'PNG';
      const query = new URLSearchParams({
        ...{ content: code.content, format },
        ...(size !== undefined && { size }),
        ...(colour !== undefined && { colour }),
      });
      await writeFile(out, await fetchBytes(target(), `${path}/image?${query.toString()}`));
    });
}

interface CodeOptions {
  readonly kind: string;
  readonly cents?: string;
  readonly out?: string;
  readonly size?: string;
  readonly colour?: string;
}

async function asJson(target: ApiTarget, method: 'GET' | 'POST', path: string): Promise<string> {
  return JSON.stringify(await callApi<unknown>(target, method, path), null, 2);
}
