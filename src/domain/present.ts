/** An object without the members that are undefined, for types that tell absent from undefined. */
export function present<T extends object>(
  value: T,
): { [K in keyof T]?: Exclude<T[K], undefined> } & PresentOf<T> {
  return Object.fromEntries(
    Object.entries(value).filter(([, member]) => member !== undefined),
  ) as never;
}

/** Members that are never undefined stay required. */
type PresentOf<T> = { [K in keyof T as undefined extends T[K] ? never : K]: T[K] };
