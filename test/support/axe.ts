/** What axe-core finds wrong with a page as it stands: rules of WCAG 2.2 A and AA and its best practices. */
import { readFileSync } from 'node:fs';
import type { Page } from 'playwright-core';

const source = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');

interface Violation {
  readonly id: string;
  readonly nodes: readonly { readonly target: readonly string[]; readonly failureSummary?: string }[];
}

/** One line a fault: the rule, the element, what is wrong. */
export async function accessibilityFaults(page: Page): Promise<string[]> {
  // By the debugger, not as a script of the page: its Content-Security-Policy would forbid it.
  await page.evaluate(source);
  const violations = await page.evaluate<Violation[]>('axe.run(document).then(({ violations }) => violations)');
  return violations.flatMap(({ id, nodes }) =>
    nodes.map(({ target, failureSummary }) => `${id}: ${target.join(' ')}: ${failureSummary?.replace(/\s+/g, ' ')}`),
  );
}
