#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { type Command, readCommand, usage } from './arguments.ts';
import { EXIT_OK, EXIT_USAGE } from './limits.ts';

async function run(command: Command): Promise<number> {
  switch (command.kind) {
    case 'help':
      say(usage);
      return EXIT_OK;
    case 'version':
      say(version());
      return EXIT_OK;
    case 'wrong':
      complain(`${command.message}\n\n${usage}`);
      return EXIT_USAGE;
    case 'serve':
      // Loaded on demand: --help must not pay for the stack.
      return (await import('./serve.ts')).serve(command, command.stdio ? note : say, complain);
  }
}

function version(): string {
  // From source the package is one folder up, built two.
  const path = import.meta.url.endsWith('.ts') ? '../package.json' : '../../package.json';
  return (JSON.parse(readFileSync(new URL(path, import.meta.url), 'utf8')) as { version: string }).version;
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** With --stdio the standard output belongs to the protocol. */
function note(text: string): void {
  process.stderr.write(`${text}\n`);
}

function complain(text: string): void {
  process.stderr.write(`beamish: ${text}\n`);
}

// The node has stopped in order; what a user's module still holds open must not keep the program.
process.exit(await run(readCommand(process.argv.slice(2), process.env)));
