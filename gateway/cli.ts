#!/usr/bin/env node
import { runCommand } from './cli/command-line.ts'
import { processTerminal } from './cli/terminal.ts'

// What a verb leaves behind, such as a connection that a library keeps open, is not waited for.
process.exit(await runCommand(process.argv.slice(2), processTerminal()))
