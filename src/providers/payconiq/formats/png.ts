/** The one kind of PNG that a QR code needs: two colours, one bit each. Pure. */
import { crc32, deflateSync } from 'node:zlib';

export interface TwoColourImage {
  /** Width and height in pixels. */
  readonly pixels: number;
  /** `#RRGGBB` of the pixels that are not set, and of those that are. */
  readonly colours: readonly [background: string, foreground: string];
  /** Whether the foreground stands here, from the top left corner. */
  isSet(x: number, y: number): boolean;
}

const SIGNATURE = Buffer.from('89504e470d0a1a0a', 'hex');
const BIT_DEPTH = 1;
const INDEXED_COLOUR = 3;

/** A complete PNG file. @see https://www.w3.org/TR/png-3/ */
export function encodePng(image: TwoColourImage): Uint8Array {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(image.pixels, 0);
  header.writeUInt32BE(image.pixels, 4);
  header.writeUInt8(BIT_DEPTH, 8);
  header.writeUInt8(INDEXED_COLOUR, 9);
  const palette = Buffer.from(image.colours.map((colour) => colour.slice(1)).join(''), 'hex');
  return Buffer.concat([
    SIGNATURE,
    chunk('IHDR', header),
    chunk('PLTE', palette),
    chunk('IDAT', deflateSync(rowsOf(image))),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

/** Each row: the number of its filter (0, none), then its bits, the leftmost pixel highest. */
function rowsOf({ pixels, isSet }: TwoColourImage): Uint8Array {
  const stride = 1 + Math.ceil(pixels / 8);
  const rows = Buffer.alloc(stride * pixels);
  for (let y = 0; y < pixels; y += 1) {
    for (let x = 0; x < pixels; x += 1) {
      if (!isSet(x, y)) continue;
      const at = y * stride + 1 + (x >> 3);
      rows.writeUInt8(rows.readUInt8(at) | (0x80 >> (x & 7)), at);
    }
  }
  return rows;
}

function chunk(type: string, data: Uint8Array): Uint8Array {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const file = Buffer.alloc(body.length + 8);
  file.writeUInt32BE(data.length, 0);
  file.set(body, 4);
  file.writeUInt32BE(crc32(body), body.length + 4);
  return file;
}
