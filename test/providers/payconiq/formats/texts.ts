import fc from 'fast-check';

/** Any UTF-16 units, halves of characters included: what a scanner or a bank might hand over. */
export function anyText(maxLength: number): fc.Arbitrary<string> {
  const unit = fc.oneof(fc.nat(0x7f), fc.nat(0xffff));
  return fc.array(unit, { maxLength }).map((units) => String.fromCharCode(...units));
}

/** Text of 1 to `maxLength` UTF-16 units that can be written. */
export function writableText(maxLength: number): fc.Arbitrary<string> {
  const character = fc
    .oneof(fc.nat(0x7f), fc.nat(0x10ffff))
    .map((point) => String.fromCodePoint(point));
  return fc
    .array(character, { minLength: 1, maxLength })
    .map((characters) => characters.join('').replace(/[\p{Cc}\p{Surrogate}]/gu, '-'))
    .filter((text) => text.length <= maxLength);
}
