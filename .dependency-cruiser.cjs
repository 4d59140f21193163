/** The layers of ARCHITECTURE.md as rules: arrows only point down, no cycles, and each outside package has one owner. */
const layers = [
  ['core'],
  ['audio', 'onnx', 'dialplan', 'config'],
  ['codecs'],
  ['rtp', 'turn', 'model'],
  ['inference'],
  ['media'],
  ['listener', 'sip', 'webrtc'],
  ['phone', 'call'],
  ['webhooks', 'store', 'tools', 'http', 'knowledge'],
];

/** Folders that never import one another although no layer parts them: network, conversation and token time. */
const pillars = ['rtp', 'turn', 'model'];

/** `config` is read by what composes the program and by nobody else: parts get the few values they need. */
const compositionRoots = '^src/(bench|cli|workers|main|telephony|engine|outbox|knowledge\\.ts)';

const owners = [
  { packages: ['onnxruntime-node'], owner: '^src/onnx/' },
  { packages: ['werift'], owner: '^src/(webrtc|rtp)/' },
  { packages: ['drachtio-srf', 'ws'], owner: '^src/sip/' },
  { packages: ['prism-media', '@evan/opus'], owner: '^src/codecs/' },
  { packages: ['@huggingface/tokenizers'], owner: '^src/model/' },
  { packages: ['express'], owner: '^src/http/' },
  { packages: ['prom-client'], owner: '^src/http/' },
  { packages: ['standardwebhooks'], owner: '^src/webhooks/' },
  { packages: ['pg'], owner: '^src/store/' },
  { packages: ['@electric-sql/pglite', '@electric-sql/pglite-pgvector'], owner: '^src/workers/database' },
  { packages: ['unpdf'], owner: '^src/knowledge/' },
  { packages: ['yaml'], owner: '^src/(core/|config)' },
  { packages: ['ajv'], owner: '^src/core/json-schema' },
  { packages: ['@modelcontextprotocol/sdk'], owner: '^src/tools/' },
  { packages: ['pino'], owner: '^src/log-pino' },
];

const layerRules = layers.flatMap((folders, height) => {
  const above = [...layers.slice(height + 1).flat(), 'bench', 'cli', 'workers'];
  return {
    name: `${folders.join('-and-')}-looks-only-down`,
    severity: 'error',
    comment: 'A lower layer must not know of a higher one.',
    from: { path: `^src/(${folders.join('|')})/` },
    to: { path: `^src/((${above.join('|')})/|(config|main|telephony|engine|log-pino)\\.ts)` },
  };
});

module.exports = {
  forbidden: [
    ...layerRules,
    ...pillars.map((pillar) => ({
      name: `${pillar}-stands-alone`,
      severity: 'error',
      comment: 'Network time, conversation time and token time meet only in media/ and call/.',
      from: { path: `^src/${pillar}/` },
      to: { path: `^src/(${pillars.filter((other) => other !== pillar).join('|')})/` },
    })),
    {
      name: 'config-for-composition-only',
      severity: 'error',
      comment: 'Parts get the few values they need, never the whole configuration.',
      from: { path: '^src/', pathNot: `${compositionRoots}|^src/config` },
      to: { path: '^src/config' },
    },
    {
      name: 'no-cycles',
      severity: 'error',
      comment: 'Type-only cycles count too.',
      from: { path: '^src/' },
      to: { circular: true },
    },
    ...owners.map(({ packages, owner }) => ({
      name: `${packages[0].replace(/[^a-z-]/g, '')}-has-one-owner`,
      severity: 'error',
      comment: `${packages.join(' and ')} may be imported only by ${owner}`,
      from: { path: '^src/', pathNot: owner },
      to: { path: `(^|/)node_modules/(${packages.join('|')})/` },
    })),
    {
      name: 'no-unlisted-package',
      severity: 'error',
      comment: 'Only what package.json names as a dependency may be used at run time.',
      from: { path: '^src/' },
      to: { dependencyTypes: ['npm-no-pkg', 'npm-unknown', 'npm-dev'] },
    },
    { name: 'no-unresolved', severity: 'error', from: { path: '^src/' }, to: { couldNotResolve: true } },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['require', 'node', 'import', 'default', 'types'],
    },
  },
};
