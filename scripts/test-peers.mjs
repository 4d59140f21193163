/** The independent programs that the end-to-end suites ring: found, or installed where that is allowed, or named as missing. */
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, delimiter, dirname, join } from 'node:path';
import { root, runToEnd } from './prepare.mjs';

/** Any one of `commands` will do; `suites` is what stays untested without it. */
export const peers = [
  { package: 'sip-tester', commands: ['sipp'], suites: 'SIP calls by sipp' },
  { package: 'baresip-core', commands: ['baresip'], suites: 'SIP calls by baresip' },
  // Packages of servers run them at boot; the suites start their own.
  { package: 'kamailio', commands: ['kamailio'], suites: 'calls through a Kamailio proxy', service: 'kamailio' },
  { package: 'coturn', commands: ['turnserver'], suites: 'calls through a TURN relay', service: 'coturn' },
  { package: 'linphone-cli', commands: ['linphonec'], suites: 'SIP calls by linphone' },
  { package: 'sipvicious', commands: ['svmap'], suites: 'scans by sipvicious' },
  { package: 'postgresql-15', commands: ['initdb'], suites: 'the database on PostgreSQL', before: noCluster },
  // One program of a package whose server nobody needs here: taken out of it, and nothing is installed.
  {
    package: 'prometheus',
    commands: ['promtool'],
    suites: 'alerts and queries by promtool',
    unpack: 'usr/bin/promtool',
  },
  { package: 'chromium', commands: ['chromium', 'chromium-browser', 'google-chrome'], suites: 'calls from a browser' },
];

/** What is taken out of packages; and servers' programs that Debian keeps out of the path. */
const unpacked = join(root, '.cache', 'peers');
const furtherFolders = [unpacked, '/usr/lib/postgresql/15/bin'];

/** The package would make a database and run a server on it; the suites make and run their own. */
function noCluster() {
  const path = '/etc/postgresql-common/createcluster.conf';
  if (existsSync(path)) return;
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, 'create_main_cluster = false\n');
}

export function findCommand(commands, path = process.env.PATH ?? '') {
  for (const folder of [...furtherFolders, ...path.split(delimiter)]) {
    for (const command of commands) {
      const candidate = join(folder, command);
      if (folder !== '' && existsSync(candidate)) return candidate;
    }
  }
  return undefined;
}

function whyNotInstall() {
  if (!existsSync('/etc/debian_version') || !existsSync('/usr/bin/apt-get')) return 'this is not Debian';
  if (process.getuid?.() !== 0) return 'only root may install packages';
  if (process.env.TRUNKLINE_TEST_PEERS === 'keep') return 'TRUNKLINE_TEST_PEERS=keep';
  return undefined;
}

/**
 * Returns lines for the reader: what could not be installed, what will be skipped and why. `say` is told at once what
 * will take its time: a browser and its hundred packages come in minutes, in silence otherwise.
 */
export async function ensurePeers(say = () => {}) {
  const missing = peers.filter((peer) => findCommand(peer.commands) === undefined);
  if (missing.length === 0) return [];
  const refusal = whyNotInstall();
  const lines = [];
  if (refusal === undefined) {
    const names = missing.map((peer) => peer.package);
    say(`Installing test peers: ${names.join(', ')}. This may take some minutes.`);
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
    await runToEnd('apt-get', ['update', '-qq'], { quiet: true, env });
    // One by one, so that a package that cannot be had does not take the others with it.
    for (const name of names) {
      const { service, before, unpack } = peers.find((peer) => peer.package === name);
      before?.();
      const flags = ['install', '-y', '-qq', '--no-install-recommends', name];
      const result =
        unpack === undefined
          ? await runToEnd('apt-get', flags, { quiet: true, env })
          : await unpackOne(name, unpack, env);
      if (service !== undefined && existsSync('/run/systemd/system')) {
        await runToEnd('systemctl', ['disable', '--now', service], { quiet: true, env });
      }
      if (result.status !== 0) lines.push(`apt-get could not install ${name}: ${lastLine(result.output)}`);
    }
  }
  for (const peer of missing.filter((candidate) => findCommand(candidate.commands) === undefined)) {
    const why = refusal ?? 'apt-get could not install it';
    lines.push(`skip  ${peer.suites}: ${peer.commands[0]} is missing (${why}). Fix: apt-get install ${peer.package}`);
  }
  return lines;
}

/** Downloads a package and takes one program out of it: no dependencies, no scripts of the package, no service. */
async function unpackOne(name, program, env) {
  const folder = mkdtempSync(join(tmpdir(), 'trunkline-peer-'));
  try {
    const steps = [
      ['apt-get', ['download', '-qq', name]],
      ['sh', ['-c', `dpkg-deb --fsys-tarfile ./*.deb | tar -x ./${program}`]],
    ];
    for (const [command, flags] of steps) {
      const result = await runToEnd(command, flags, { quiet: true, env, cwd: folder });
      if (result.status !== 0) return result;
    }
    mkdirSync(unpacked, { recursive: true });
    cpSync(join(folder, program), join(unpacked, basename(program)));
    return { status: 0, output: '' };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function lastLine(text) {
  return text.trimEnd().split('\n').at(-1) ?? '';
}
