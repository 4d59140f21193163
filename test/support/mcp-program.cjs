/** An MCP server of the protocol's own SDK that speaks over its standard streams: what it sees of the environment, and an end on demand. */
const { McpServer } = require('@modelcontextprotocol/sdk/server/mcp.js');
const { StdioServerTransport } = require('@modelcontextprotocol/sdk/server/stdio.js');

const server = new McpServer({ name: 'environment', version: '1.0.0' });
server.registerTool('variables', { inputSchema: {} }, () => ({
  content: [{ type: 'text', text: Object.keys(process.env).join(' ') }],
  structuredContent: undefined,
}));
server.registerTool('end', { inputSchema: {} }, () => process.exit(1));
void server.connect(new StdioServerTransport());
