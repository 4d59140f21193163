/** The container file: linted by hadolint, and in step with package.json, the configuration's defaults and what it copies. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadConfig } from '../../src/config';
import { infra, root, run, tool } from './tools';

const file = join(infra, 'container/Dockerfile');
const text = readFileSync(file, 'utf8');
const lines = text
  .replace(/\\\n/g, ' ')
  .split('\n')
  .filter((line) => line !== '' && !line.startsWith('#'));
const hadolint = tool('hadolint', 'linting of the container file');
const config = loadConfig({ folder: join(infra, 'container'), environment: {} });

function values(instruction: string): string[] {
  return lines.filter((line) => line.startsWith(`${instruction} `)).map((line) => line.slice(instruction.length + 1));
}

describe('the container file', () => {
  (hadolint === undefined ? it.skip : it)('passes hadolint, matters of style included', () => {
    expect(run(hadolint ?? '', ['--no-color', '--failure-threshold', 'style', file])).toEqual({
      status: 0,
      output: '',
    });
  });

  it('has a Node that package.json allows, the same in both stages', () => {
    const { engines } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { engines: { node: string } };
    const wanted = /^>=(\d+)\./.exec(engines.node)?.[1];
    const images = values('FROM').map((value) => value.split(' ')[0]);
    expect(images).toHaveLength(2);
    expect(new Set(images).size).toBe(1);
    expect(images[0]).toMatch(/^node:\d+-bookworm-slim$/);
    expect(Number(/^node:(\d+)/.exec(images[0] ?? '')?.[1])).toBeGreaterThanOrEqual(Number(wanted));
  });

  it("exposes the configuration's ports, and nothing else", () => {
    expect(values('EXPOSE').flatMap((value) => value.split(' '))).toEqual([
      `${config.sip.port}/udp`,
      `${config.sip.port}/tcp`,
      `${config.http.port}/tcp`,
      `${config.rtp.ports}/udp`,
      `${config.webrtc.ports}/udp`,
    ]);
  });

  it('runs as somebody who is not root, by number, and is stopped by the signal that drains', () => {
    expect(values('USER')).toEqual(['1000:1000']);
    expect(values('STOPSIGNAL')).toEqual(['SIGTERM']);
    // Node itself gets the signal: no shell in between.
    expect(values('ENTRYPOINT')).toEqual(['["node", "bin/trunkline.mjs"]']);
  });

  it('copies what is there, and nothing that .dockerignore keeps back', () => {
    const rules = readFileSync(join(root, '.dockerignore'), 'utf8')
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'));
    // The last rule that fits counts.
    const isKeptBack = (path: string): boolean =>
      rules.reduce((kept, rule) => {
        const pattern = rule.replace(/^!/, '');
        return path === pattern || path.startsWith(`${pattern}/`) ? !rule.startsWith('!') : kept;
      }, false);
    const sources = values('COPY')
      .filter((value) => !value.startsWith('--from'))
      .flatMap((value) => value.split(' ').slice(0, -1));
    expect(sources.length).toBeGreaterThan(8);
    expect(sources.filter((path) => !existsSync(join(root, path)) || isKeptBack(path))).toEqual([]);
  });
});
