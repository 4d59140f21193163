/**
 * `npm run client`: writes the types of clients/typescript from the OpenAPI document of the built program; with --check it writes
 * nothing and ends with 1 where they are behind.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import openapiTypescript, { astToString } from 'openapi-typescript';
import { root } from './prepare.mjs';

const target = join(root, 'clients', 'typescript', 'src', 'schema.ts');
const { openApiDocument } = await import(new URL('../dist/http/open-api.js', import.meta.url).href);
// Without the version: a release alone changes no type.
const types = astToString(
  await openapiTypescript(structuredClone(openApiDocument('0.0.0')), { defaultNonNullable: false }),
);
const written = `/** Made by \`npm run client\` from the OpenAPI document; do not edit. */\n${types}`;

if (process.argv.includes('--check')) {
  if (readFileSync(target, 'utf8') !== written) {
    console.error(
      'clients/typescript/src/schema.ts is behind the OpenAPI document. Fix: npm run build && npm run client',
    );
    process.exitCode = 1;
  }
} else writeFileSync(target, written);
