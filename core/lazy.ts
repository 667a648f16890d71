/** The value that `make` returns, made when it is first asked for: programs that never need it start sooner. */
export function lazy<T>(make: () => T): () => T {
  let made: { value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}
