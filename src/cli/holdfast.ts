#!/usr/bin/env node
/** The holdfast command. */
import { Command } from 'commander';
import pc from 'picocolors';
import { loadConfig, ConfigError } from '../config.js';
import { runDemo } from './demo.js';
import { runDev, runHealth, runServer, runSetup, runWorker, say } from './processes.js';
import { connectionCommands } from './connection-commands.js';
import { paymentCommands } from './payment-commands.js';
import { reconciliationCommands } from './reconciliation-commands.js';
import { refundCommands } from './refund-commands.js';
import { generateKey } from '../transport/keyring.js';
import { makeSigningKey } from './signing-key.js';
import { writeWorkflowSchemas } from './schemas.js';

const program = new Command('holdfast')
  .description('A durable payment orchestrator.')
  .option('-c, --config <file>', 'config file (else HOLDFAST_CONFIG, else holdfast.config.json)');

const config = () => loadConfig({ file: program.opts<{ config?: string }>().config });

program
  .command('dev')
  .description(
    'everything in one process: Temporal with UI, store, provider sandboxes, API, worker',
  )
  .action(() => runDev(config()));

program
  .command('worker')
  .description('carry payments: run workflows and call providers')
  .action(() => runWorker(config()));

program
  .command('server')
  .description('the HTTP API, the notification door and the dispatcher')
  .action(() => runServer(config()));

program
  .command('setup')
  .description('create or update tables and search attributes; may be run again at any time')
  .action(() => runSetup(config()));

program
  .command('health')
  .description(
    'whether a worker of this machine asks Temporal for work; of a server, ask GET /health',
  )
  .action(() => runHealth(config()));

const key = program
  .command('key')
  .description('make an encryption key: an id, and the secret to be kept')
  .action(() => say(JSON.stringify(generateKey())));

key
  .command('signing <file>')
  .description('make a private key to sign requests with: P-256, PKCS#8 in PEM')
  .action(async (file: string) => say(await makeSigningKey(file)));

program
  .command('demo')
  .description('payments through their lives, against a simulated provider, then exit')
  .option('--headless', 'no Temporal UI')
  .action((options: { headless?: boolean }) => runDemo({ isHeadless: options.headless === true }));

program
  .command('schemas <directory>')
  .description('write the JSON Schemas of the workflow inputs, for callers in other languages')
  .action((directory: string) => writeWorkflowSchemas(directory));

paymentCommands(program, config);
refundCommands(program, config);
connectionCommands(program, config);
reconciliationCommands(program, config);

try {
  await program.parseAsync();
} catch (error) {
  const message = error instanceof Error ? error.message : String(error);
  process.stderr.write(`${pc.red('error')} ${message}\n`);
  process.exitCode = error instanceof ConfigError ? 2 : 1;
}
