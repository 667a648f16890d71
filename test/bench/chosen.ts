/** The names in an option's list, `warm,cold`. Ends the benchmark, before it has started anything, where there is none of such a name. */
export function chosen<Name extends string>(option: string, list: string, names: readonly Name[]): Name[] {
  const wanted = list.split(",");
  const unknown = wanted.filter((name) => !names.includes(name as Name));
  if (unknown.length > 0) {
    console.error(
      `${option}: there is no ${unknown.map((name) => `"${name}"`).join(", ")}, but ${names.join(", ")}.`,
    );
    process.exit(2);
  }
  return wanted as Name[];
}
