/** Rows that need not be held: one is made when it is asked for. An array is one. */
export interface Listing<Row> {
  readonly length: number;
  /** From 0. */
  at(index: number): Row | undefined;
}

/** One page over several listings, each row made directly. */
export interface Page<Row> {
  readonly rows: readonly Row[];
  readonly totalPages: number;
  readonly totalElements: number;
  readonly number: number;
}

export function pageOf<Row>(
  listings: readonly Listing<Row>[],
  { page, size }: { readonly page: number; readonly size: number },
): Page<Row> {
  const totalElements = listings.reduce((sum, { length }) => sum + length, 0);
  const [from, to] = [page * size, (page + 1) * size];
  const rows: Row[] = [];
  let offset = 0;
  for (const listing of listings) {
    const end = Math.min(to - offset, listing.length);
    for (let index = Math.max(from - offset, 0); index < end; index += 1) {
      const row = listing.at(index);
      if (row !== undefined) rows.push(row);
    }
    offset += listing.length;
  }
  return { rows, totalPages: Math.ceil(totalElements / size), totalElements, number: page };
}

export function filtered<Row>(
  listing: Listing<Row>,
  isWanted: (row: Row) => boolean,
): readonly Row[] {
  const rows: Row[] = [];
  for (let index = 0; index < listing.length; index += 1) {
    const row = listing.at(index);
    if (row !== undefined && isWanted(row)) rows.push(row);
  }
  return rows;
}
