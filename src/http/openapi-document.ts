/** Last touches on the generated OpenAPI document. Pure. */

type Json = Readonly<Record<string, unknown>>;

interface Document {
  readonly paths?: Json;
  readonly components?: Json & { readonly schemas?: Json };
}

/** Drops shapes that no route refers to, names the others plainly, and tells optional bodies. */
export function finished<Doc extends object>(document: Doc): Doc {
  return withOptionalBodies(withPlainNames(withoutUnused(document))) as Doc;
}

const PREFIX = '#/components/schemas/';
const REFERENCE = /"#\/components\/schemas\/([^"]+)"/g;

/** Each shape comes as input and as output, whether or not it is used as both. */
function withoutUnused(document: Document): Document {
  const { schemas = {}, ...others } = document.components ?? {};
  const used = new Set<string>();
  const follow = (part: unknown): void => {
    for (const [, name = ''] of JSON.stringify(part ?? null).matchAll(REFERENCE)) {
      if (used.has(name)) continue;
      used.add(name);
      follow(schemas[name]);
    }
  };
  follow({ ...document, components: others });
  const kept = Object.entries(schemas).filter(([name]) => used.has(name));
  return { ...document, components: { ...others, schemas: Object.fromEntries(kept) } };
}

/** `OpenPaymentInput` is `OpenPayment` where there is no output of that name. */
function withPlainNames(document: Document): Document {
  const { schemas = {} } = document.components ?? {};
  const plain = (name: string): string => {
    const base = name.replace(/Input$/, '');
    return Object.hasOwn(schemas, base) ? name : base;
  };
  const renamed = Object.entries(schemas).map(([name, schema]) => [plain(name), schema]);
  const whole = {
    ...document,
    components: { ...document.components, schemas: Object.fromEntries(renamed) as Json },
  };
  const text = JSON.stringify(whole).replaceAll(
    REFERENCE,
    (_all, name: string) => `"${PREFIX}${plain(name)}"`,
  );
  return JSON.parse(text) as Document;
}

interface Operation {
  readonly requestBody?: {
    required: boolean;
    readonly content: Readonly<Record<string, { readonly schema?: { readonly $ref?: string } }>>;
  };
}

/** A body that may be null may be left out. */
function withOptionalBodies(document: Document): Document {
  const { schemas = {} } = document.components ?? {};
  for (const path of Object.values(document.paths ?? {})) {
    for (const { requestBody } of Object.values(path as Record<string, Operation>)) {
      const reference = requestBody?.content['application/json']?.schema?.$ref ?? '';
      const { anyOf = [] } = (schemas[reference.replace(PREFIX, '')] ?? {}) as { anyOf?: Json[] };
      if (requestBody && anyOf.some(({ type }) => type === 'null')) requestBody.required = false;
    }
  }
  return document;
}
