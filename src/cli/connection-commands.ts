/** `holdfast connection …`: what operators ask of connections, through the API. */
import type { Command } from 'commander';
import type { Config } from '../config.js';
import { apiTarget, callApi, type ApiTarget } from './api.js';
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
    .command('sweep <connectionId>')
    .description('look now for what no notification told')
    .action(async (connectionId: string) => {
      const path = `/v1/connections/${encodeURIComponent(connectionId)}/sweep`;
      say(await asJson(target(), 'POST', path));
    });
}

async function asJson(target: ApiTarget, method: 'GET' | 'POST', path: string): Promise<string> {
  return JSON.stringify(await callApi<unknown>(target, method, path), null, 2);
}
