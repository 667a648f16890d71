/** The names in an option's list, `warm,cold`. An unknown one ends the program with an error: call it before anything is started. */
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
