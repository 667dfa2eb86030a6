export interface ZipSource {
  readonly name: string;
  readonly content: string;
  /** How the content is compressed; stored as it is by default. */
  readonly deflate?: (content: Buffer) => Buffer;
  /** The compression method written down; 8 where `deflate` is given, else 0. */
  readonly method?: number;
}

/** A zip archive with these files, as its specification has it. */
export function zipOf(sources: readonly ZipSource[], comment = ''): Buffer {
  const bodies: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const source of sources) {
    const plain = Buffer.from(source.content);
    const packed = source.deflate?.(plain) ?? plain;
    const name = Buffer.from(source.name);
    const fields = commonFields(source, { plain, packed, nameLength: name.length });
    const local = Buffer.concat([u32(0x04034b50), fields, name, packed]);
    bodies.push(local);
    const tail = Buffer.concat([u16(0), u16(0), u16(0), u32(0), u32(offset)]);
    directory.push(Buffer.concat([u32(0x02014b50), u16(20), fields, tail, name]));
    offset += local.length;
  }
  const central = Buffer.concat(directory);
  const counts = Buffer.concat([u16(0), u16(0), u16(sources.length), u16(sources.length)]);
  const place = Buffer.concat([u32(central.length), u32(offset), u16(comment.length)]);
  return Buffer.concat([...bodies, central, u32(0x06054b50), counts, place, Buffer.from(comment)]);
}

function commonFields(
  source: ZipSource,
  { plain, packed, nameLength }: { plain: Buffer; packed: Buffer; nameLength: number },
): Buffer {
  const method = source.method ?? (source.deflate === undefined ? 0 : 8);
  return Buffer.concat([
    ...[u16(20), u16(0), u16(method), u32(0), u32(0)],
    ...[u32(packed.length), u32(plain.length), u16(nameLength), u16(0)],
  ]);
}

function u16(value: number): Buffer {
  const buffer = Buffer.alloc(2);
  buffer.writeUInt16LE(value);
  return buffer;
}

function u32(value: number): Buffer {
  const buffer = Buffer.alloc(4);
  buffer.writeUInt32LE(value);
  return buffer;
}
