/** docs/tutorial.md, line by line: its files are written, its commands are run in order, on ports that are free. */
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { freePort, sippInstalled } from '../support/sipp';

const root = join(__dirname, '../..');

/** Fenced blocks: a file where the fence names one, else what is typed. */
const blocks = [
  ...readFileSync(join(root, 'docs/tutorial.md'), 'utf8').matchAll(/^```(\w+) ?(\S*)\n(.*?)^```$/gms),
].map(([, language = '', file = '', text = '']) => ({ language, file, text }));

describe('the tutorial', () => {
  (sippInstalled() ? it : it.skip)(
    'takes a call, books an appointment, hands over to a human and reads the transcript',
    async () => {
      const folder = mkdtempSync(join(tmpdir(), 'trunkline-tutorial-'));
      for (const name of ['bin', 'dist', 'models', 'node_modules', 'package.json'])
        symlinkSync(join(root, name), join(folder, name));
      const ports = new Map<string, number>();
      for (const port of ['3000', '8080', '5060', '5090', '5091']) ports.set(port, await freePort());
      const here = (text: string) =>
        text
          .replace(/\b(3000|8080|5060|5090|5091)\b/g, (port) => String(ports.get(port)))
          .replaceAll('npx trunkline', 'node bin/trunkline.mjs');
      for (const { file, text } of blocks.filter(({ file }) => file !== '')) {
        mkdirSync(dirname(join(folder, file)), { recursive: true });
        writeFileSync(join(folder, file), here(text));
      }
      const typed = blocks.filter(({ language }) => language === 'sh').map(({ text }) => here(text));
      // A group of its own, so that what it leaves in the background ends with it.
      const shell = spawn('bash', ['-e', '-c', typed.join('\n')], {
        cwd: folder,
        detached: true,
        timeout: 200_000,
        killSignal: 'SIGKILL',
      });
      let output = '';
      for (const stream of [shell.stdout, shell.stderr]) {
        stream.on('data', (chunk: Buffer) => {
          output += chunk.toString();
        });
      }
      try {
        const status = await new Promise((resolve) => shell.once('exit', resolve));
        expect([status, status === 0 ? '' : output]).toEqual([0, '']);
        expect(readFileSync(join(folder, 'appointments.txt'), 'utf8')).toMatch(/^call_\S+ I would like to book/);
        // The greeting may be cut short on a busy machine; these are what the rest was for.
        for (const text of ['I would like to book an appointment.', 'Your appointment is on Monday at ten.']) {
          expect(output.slice(output.indexOf('"turns"'))).toContain(text);
        }
      } finally {
        killGroup(shell.pid ?? 0);
        rmSync(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 200 });
      }
    },
    240_000,
  );
});

function killGroup(leader: number): void {
  try {
    process.kill(-leader, 'SIGKILL');
  } catch {
    // None of it is left.
  }
}
