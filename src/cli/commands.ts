/**
 * The table of commands: a new one is a line here and a file beside. Each is loaded when it is named, so that the agent does
 * not load the benchmarks before it starts.
 */
import type { NamedCommand } from './command';

export const commands: readonly NamedCommand[] = [
  { name: 'up', load: () => (require('./up') as typeof import('./up')).up },
  { name: 'call', load: () => (require('./call') as typeof import('./call')).call },
  { name: 'talk', load: () => (require('./talk') as typeof import('./talk')).talk },
  { name: 'bench', load: () => (require('./bench') as typeof import('./bench')).bench },
  { name: 'doctor', load: () => (require('./doctor') as typeof import('./doctor')).doctor },
  { name: 'dialplan check', load: () => (require('./dialplan') as typeof import('./dialplan')).dialplanCheck },
  { name: 'dialplan route', load: () => (require('./dialplan') as typeof import('./dialplan')).dialplanRoute },
  { name: 'models list', load: () => (require('./models') as typeof import('./models')).modelsList },
  { name: 'models verify', load: () => (require('./models') as typeof import('./models')).modelsVerify },
  { name: 'models bench', load: () => (require('./models-bench') as typeof import('./models-bench')).modelsBench },
  { name: 'codec', load: () => (require('./codec') as typeof import('./codec')).codec },
  { name: 'calls', load: () => (require('./calls') as typeof import('./calls')).callsList },
  { name: 'dial', load: () => (require('./dial') as typeof import('./dial')).dial },
  { name: 'calls waiting', load: () => (require('./dial') as typeof import('./dial')).callsWaiting },
  { name: 'calls show', load: () => (require('./calls') as typeof import('./calls')).callsShow },
  { name: 'hangup', load: () => (require('./calls') as typeof import('./calls')).hangup },
];
