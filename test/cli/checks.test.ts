/** What `doctor` finds, on a machine that is right and on ones that are not. */
import { createSocket } from 'node:dgram';
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  checkBeforeStart,
  checkClock,
  checkData,
  checkDialplan,
  checkPorts,
  checkProcessor,
  checkWeights,
  priorityFinding,
  spaceFinding,
} from '../../src/cli/checks';
import { type Config, loadConfig } from '../../src/config';

const newFolder = (): string => mkdtempSync(join(tmpdir(), 'trunkline-doctor-'));
const config = (environment: Record<string, string>): Config => loadConfig({ folder: newFolder(), environment });

describe('ports', () => {
  it('that are taken are told with what to do', async () => {
    const udp = createSocket('udp4');
    await new Promise<void>((resolve) => udp.bind(0, resolve));
    const tcp = createServer();
    await new Promise<void>((resolve) => tcp.listen(0, '127.0.0.1', resolve));
    const tcpAddress = tcp.address();
    const httpPort = typeof tcpAddress === 'object' && tcpAddress !== null ? tcpAddress.port : 0;
    const findings = await checkPorts(
      config({ TRUNKLINE_SIP_PORT: String(udp.address().port), TRUNKLINE_HTTP_PORT: String(httpPort) }),
    );
    expect(findings.find(({ about }) => about === 'SIP port (udp)')).toMatchObject({
      state: 'problem',
      fix: expect.stringContaining('TRUNKLINE_SIP_PORT'),
    });
    expect(findings.find(({ about }) => about === 'HTTP port')).toMatchObject({ state: 'problem' });
    udp.close();
    tcp.close();
  });
});

describe('the data folder', () => {
  it('is made when it is not there', () => {
    const folder = join(newFolder(), 'var');
    expect(checkData(config({ TRUNKLINE_DATA: folder }))).toMatchObject({
      state: expect.stringMatching(/fine|warning/),
    });
    expect(() => checkBeforeStart(config({ TRUNKLINE_DATA: folder }))).not.toThrow();
  });

  it('that cannot be one stops the start with a code', () => {
    const file = join(newFolder(), 'file');
    writeFileSync(file, '');
    const wrong = config({ TRUNKLINE_DATA: join(file, 'var') });
    expect(checkData(wrong)).toMatchObject({ state: 'problem', fix: expect.stringContaining('TRUNKLINE_DATA') });
    expect(() => checkBeforeStart(wrong)).toThrow(expect.objectContaining({ code: 'start.data-folder' }));
  });

  it('on a full disk is a problem, on a nearly full one a warning', () => {
    expect(spaceFinding('var', 10e6)).toMatchObject({
      state: 'problem',
      sentence: expect.stringContaining('10 MB free'),
    });
    expect(spaceFinding('var', 500e6)).toMatchObject({ state: 'warning' });
    expect(spaceFinding('var', 5e9)).toMatchObject({ state: 'fine' });
  });
});

describe('weights', () => {
  it('that differ from their sum are found', async () => {
    const folder = newFolder();
    mkdirSync(join(folder, 'toy'));
    writeFileSync(
      join(folder, 'toy/manifest.json'),
      JSON.stringify({
        name: 'toy',
        version: '1',
        description: 'd',
        licence: 'MIT',
        sources: [{ package: 'p', version: '1', licence: 'MIT' }],
        recipe: 'none',
        files: [{ path: 'a.bin', bytes: 3, sha256: '0'.repeat(64) }],
      }),
    );
    const installed = config({ TRUNKLINE_ENGINE_MODELS: folder });
    expect(await checkWeights(installed)).toMatchObject({ state: 'problem' });
    writeFileSync(join(folder, 'toy/a.bin'), 'abc');
    expect(await checkWeights(installed)).toMatchObject({ state: 'problem', fix: expect.any(String) });
    expect(await checkWeights(config({ TRUNKLINE_ENGINE_MODELS: newFolder() }))).toMatchObject({ state: 'problem' });
  });
});

describe('processor, clock and dialplan', () => {
  it('name what they are and what they lack', () => {
    expect(checkProcessor('flags\t\t: fpu sse avx2 avx512_vnni\n', 4)).toMatchObject({
      state: 'fine',
      sentence: '4 cores, avx2, avx512_vnni',
    });
    expect(checkProcessor('flags : fpu sse\n', 4)).toMatchObject({ state: 'warning' });
    expect(checkProcessor('', 1)).toMatchObject({ state: 'warning' });
    expect(checkProcessor('Features : asimd\n', 4)).toMatchObject({ state: 'fine' });
    expect(priorityFinding(false)).toMatchObject({ state: 'warning', fix: expect.stringContaining('LimitRTPRIO') });
    expect(priorityFinding(true)).toMatchObject({ state: 'fine' });
    expect(checkClock(new Date('1970-01-02'))).toMatchObject({ state: 'problem' });
    expect(checkClock(new Date('2027-01-01'))).toMatchObject({ state: 'fine' });
    expect(checkDialplan(config({ TRUNKLINE_DIALPLANS: join(__dirname, '../../dialplans') }))).toMatchObject({
      state: 'fine',
    });
    expect(checkDialplan(config({ TRUNKLINE_DIALPLANS: '/nowhere' }))).toMatchObject({
      state: 'problem',
      fix: expect.any(String),
    });
  });
});
