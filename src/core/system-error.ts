/** The `code` of an error of the system (`ENOENT`, `EADDRINUSE`), whichever realm made it; undefined when it has none. */
export function systemErrorCode(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}
