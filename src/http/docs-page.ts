/** `/docs`: the OpenAPI document in a form that people read, without any script. */

export function docsPage(document: Readonly<Record<string, unknown>>): string {
  const rows: string[] = [];
  for (const [path, item] of entriesOf(document['paths'])) {
    for (const [method, operation] of entriesOf(item)) {
      const summary = memberOf(operation, 'summary');
      const open =
        Array.isArray(memberOf(operation, 'security')) && entriesOf(memberOf(operation, 'security')).length === 0;
      rows.push(
        `<tr><td><code>${escapeHtml(method.toUpperCase())}</code></td><td><code>${escapeHtml(path)}</code></td>` +
          `<td>${escapeHtml(String(summary ?? ''))}</td><td>${open ? '' : 'token'}</td></tr>`,
      );
    }
  }
  const events = entriesOf(document['webhooks']).map(([type]) => `<li><code>${escapeHtml(type)}</code></li>`);
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Trunkline: HTTP</title>
<style>
  :root { color-scheme: light dark }
  body { font: 16px/1.5 system-ui, sans-serif; max-width: 56rem; margin: 2rem auto; padding: 0 1rem }
  table { border-collapse: collapse; width: 100% }
  td, th { text-align: left; padding: .35rem .6rem; border-bottom: 1px solid color-mix(in srgb, currentColor 20%, transparent) }
</style>
<h1>HTTP</h1>
<p>Everything under <code>/v1</code> needs <code>Authorization: Bearer TOKEN</code>. Errors are problem documents
(RFC 9457) with a stable <code>code</code>. The schemas are in <a href="/openapi.json">openapi.json</a>.</p>
<table><tr><th></th><th>Path</th><th>What</th><th></th></tr>
${rows.join('\n')}
</table>
<h2>Events</h2>
<ul>${events.join('')}</ul>
</html>
`;
}

function entriesOf(value: unknown): [string, unknown][] {
  return typeof value === 'object' && value !== null ? Object.entries(value) : [];
}

function memberOf(value: unknown, key: string): unknown {
  return entriesOf(value).find(([name]) => name === key)?.[1];
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
