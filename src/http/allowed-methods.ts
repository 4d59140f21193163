/** Which methods a path of ours knows (RFC 9110 §15.5.6), read off the OpenAPI document: what it describes is what there is. */

/** In capitals; none: there is no such path. `/v1/calls/{id}` stands for any one segment. */
export function allowedMethods(paths: Readonly<Record<string, object>>, path: string): readonly string[] {
  const segments = segmentsOf(path);
  const found = Object.entries(paths).find(([template]) => matches(segmentsOf(template), segments));
  const methods = Object.keys(found?.[1] ?? {}).map((method) => method.toUpperCase());
  // Express answers HEAD wherever it answers GET.
  return methods.includes('GET') ? [...methods, 'HEAD'] : methods;
}

function segmentsOf(path: string): readonly string[] {
  return path.split('/').filter((segment) => segment !== '');
}

function matches(template: readonly string[], segments: readonly string[]): boolean {
  return (
    template.length === segments.length &&
    template.every((part, index) => part.startsWith('{') || part === segments[index])
  );
}
