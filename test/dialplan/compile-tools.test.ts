import { compileTools } from '../../src/dialplan/compile-tools';
import { mcpSchema, toolsSchema } from '../../src/dialplan/tool-schema';

const http = { url: 'https://shop.example/orders/{order}' };
const tools = (...written: unknown[]) => ({ tools: toolsSchema.parse(written) });
const mcp = (...written: unknown[]) => ({ mcp: mcpSchema.parse(written) });
const look = { name: 'look', description: 'look it up' };

describe('the tools of a dialplan', () => {
  it('are one list for the brain, without who answers, and a target for each that we ask ourselves', () => {
    const server = { name: 'weather', url: 'https://weather.example/mcp' };
    const secretHeaders = { Authorization: { env: 'KEY', prefix: 'Bearer ' } };
    const compiled = compileTools([
      {
        written: tools(look, { name: 'order', description: 'find an order', http: { ...http, secretHeaders } }),
        trusted: true,
      },
      { written: mcp({ ...server, tools: [{ name: 'rain', description: 'say if it rains' }] }), trusted: true },
    ]);
    if (!compiled.ok) throw new Error(JSON.stringify(compiled.faults));
    expect(compiled.value.tools.map(({ name }) => name)).toEqual(['look', 'order', 'rain']);
    expect(JSON.stringify(compiled.value.tools)).not.toMatch(/example|KEY/);
    expect(compiled.value.tools[0]).toMatchObject({ timeoutMs: 5000, fillerAfterMs: 800, onBargeIn: 'keep' });
    expect(Object.fromEntries(compiled.value.targets)).toMatchObject({
      order: { kind: 'http', method: 'POST', secretHeaders },
      rain: { kind: 'mcp', tool: 'rain', server },
    });
  });

  it('are refused with a schema that is none, and with a name twice', () => {
    const wrong = compileTools([{ written: tools({ ...look, parameters: { type: 'word' } }), trusted: true }]);
    expect(wrong).toMatchObject({
      ok: false,
      faults: [{ code: 'dialplan.invalid', message: expect.stringMatching(/look/) }],
    });
    const server = { name: 'w', url: 'https://w.example', tools: [{ name: 'look', description: 'see' }] };
    expect(compileTools([{ written: { ...tools(look), ...mcp(server) }, trusted: true }])).toMatchObject({
      ok: false,
      faults: [{ code: 'dialplan.duplicate-tool' }],
    });
  });

  it('of an application’s answer may start no program and read no secret, those of a named persona may', () => {
    const secret = tools({ ...look, http: { ...http, secretHeaders: { 'X-Key': { file: '/etc/passwd' } } } });
    const program = mcp({ name: 'sh', command: 'sh', tools: [{ name: 'run', description: 'run it' }] });
    const written = { ...secret, ...program };
    expect(compileTools([{ written, trusted: true }])).toMatchObject({ ok: true });
    expect(compileTools([{ written, trusted: false }])).toMatchObject({
      ok: false,
      faults: [{ message: expect.stringMatching(/secret/) }, { message: expect.stringMatching(/program/) }],
    });
  });

  it.each([
    { ...look, http: { url: 'file:///etc/passwd' } },
    { ...look, http: { ...http, headers: { 'X-A': 'a\r\nX-B: b' } } },
    { ...look, http: { ...http, headers: { 'X A': 'a' } } },
    { ...look, onBargeIn: 'ignore' },
  ])('are refused as %j', (written) => {
    expect(toolsSchema.safeParse([written]).success).toBe(false);
  });

  it('of an MCP server need a list, and either an address or a program', () => {
    const server = { name: 'w', tools: [look] };
    expect(mcpSchema.safeParse([{ ...server, url: 'https://w.example', tools: [] }]).success).toBe(false);
    expect(mcpSchema.safeParse([server]).success).toBe(false);
    expect(mcpSchema.safeParse([{ ...server, url: 'https://w.example', command: 'sh' }]).success).toBe(false);
  });
});
