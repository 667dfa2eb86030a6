import { readFileSync, readdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import { workflowSchemas } from '../../src/cli/schemas.js';

const FOLDER = new URL('../../docs/schemas/', import.meta.url);

test('the published JSON Schemas are those of the code (`npm run schemas` writes them)', () => {
  const published = Object.fromEntries(
    readdirSync(FOLDER).map((file) => [
      file.replace('.schema.json', ''),
      JSON.parse(readFileSync(new URL(file, FOLDER), 'utf8')) as object,
    ]),
  );

  expect(published).toEqual(JSON.parse(JSON.stringify(workflowSchemas())));
});
