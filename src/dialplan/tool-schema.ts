/** The form of tools in a dialplan: what the agent may look up or do, and which service answers. */
import { z } from 'zod';

const headerName = z.string().regex(/^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}$/, 'Expected the name of a header.');
const headerValue = z.string().regex(/^[\t\x20-\x7e]{0,2000}$/, 'Expected one line of plain ASCII.');
const prefix = headerValue.optional().describe('Stands before it: "Bearer ".');
const secretSource = z.union([
  z.strictObject({ env: z.string().min(1).max(200), prefix }),
  z.strictObject({ file: z.string().min(1).max(1000), prefix }),
]);
const headers = {
  headers: z.record(headerName, headerValue).default({}),
  secretHeaders: z
    .record(headerName, secretSource)
    .default({})
    .describe('Headers whose value is read at each call: from the environment, {env: NAME}, or a file, {file: PATH}.'),
};
const webAddress = z
  .string()
  .max(2000)
  .refine((text) => URL.canParse(text) && /^https?:$/.test(new URL(text).protocol), {
    error: 'Expected an http or https URL.',
  });

const httpTarget = z.strictObject({
  url: webAddress.describe('{name} in its path stands for that argument.'),
  method: z
    .enum(['GET', 'POST', 'PUT', 'PATCH', 'DELETE'])
    .default('POST')
    .describe('The arguments are the query of GET and DELETE, and the JSON body of the others.'),
  ...headers,
});

const toolName = z.string().regex(/^[A-Za-z0-9_-]{1,64}$/, 'Expected up to 64 letters, digits, "_" and "-".');

const tool = {
  description: z
    .string()
    .trim()
    .min(1)
    .max(200)
    .regex(/^[^\r\n]*[^.!?\r\n]$/, 'Expected the end of "I can …" in one line, without a full stop.')
    .describe('Completes "I can …": look up the status of an order.'),
  parameters: z.record(z.string(), z.unknown()).optional().describe('JSON schema of the arguments.'),
  timeoutMs: z.int().min(100).max(120_000).default(5000).describe('How long the result is waited for.'),
  fillerAfterMs: z
    .int()
    .min(0)
    .max(10_000)
    .default(800)
    .describe('Silence after a call without words that is bridged by a filler.'),
  confirm: z
    .boolean()
    .default(false)
    .describe('What the caller was asked for (x-ask of a property) is read back before it is called.'),
  onBargeIn: z
    .enum(['cancel', 'keep'])
    .default('keep')
    .describe('When the caller says something else meanwhile: break it off, or tell the result after that.'),
};

export const toolSchema = z.strictObject({
  name: toolName,
  ...tool,
  http: httpTarget.optional().describe('The service that answers; left out: an application that hears of tool.called.'),
});
export const toolsSchema = z.array(toolSchema).max(20);

const mcpServer = z
  .strictObject({
    name: z.string().regex(/^[\w .-]{1,64}$/, 'Expected up to 64 letters, digits, spaces, ".", "_" and "-".'),
    url: webAddress.optional().describe('Of a server that speaks Streamable HTTP.'),
    ...headers,
    command: z.string().min(1).max(1000).optional().describe('Starts a server that speaks over its standard streams.'),
    args: z.array(z.string().max(4000)).max(100).default([]),
    env: z.array(z.string().min(1)).max(50).default([]).describe('Names of variables that the program may see.'),
    tools: z
      .array(z.strictObject({ name: toolName, ...tool }))
      .min(1, 'Expected the tools that may be called.')
      .max(20)
      .describe(
        'The only ones that may be called, in the words of the dialplan; the server’s schema, if parameters is left out.',
      ),
  })
  .refine(({ url, command }) => (url === undefined) !== (command === undefined), {
    error: 'Expected either url or command.',
    path: ['url'],
  });
export const mcpSchema = z.array(mcpServer).max(10);

export type WrittenTool = z.output<typeof toolSchema>;
export type WrittenMcpServer = z.output<typeof mcpServer>;
