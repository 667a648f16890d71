/**
 * Checks what JSON holds, for files of our own that every command reads: loading a schema library for them would take longer
 * than all the rest of `linkup status`.
 */

/** Where a value is not as it should be: the keys to it, and what belongs there. */
export interface Mismatch {
  path: string[];
  wanted: string;
}

/** The first mismatch in a value. */
export type Shape = (value: unknown) => Mismatch | undefined;

function that(wanted: string, holds: (value: unknown) => boolean): Shape {
  return (value) => (holds(value) ? undefined : { path: [], wanted });
}

export const string = that("a string", (value) => typeof value === "string");
export const number = that("a number", (value) => typeof value === "number");
export const boolean = that("true or false", (value) => typeof value === "boolean");
export const url = that("a URL", (value) => typeof value === "string" && URL.canParse(value));

export function oneOf(...values: unknown[]): Shape {
  return that(values.map((value) => JSON.stringify(value)).join(" or "), (value) => values.includes(value));
}

export function nullable(shape: Shape): Shape {
  return (value) => (value === null ? undefined : shape(value));
}

/** What one of them takes; else the mismatch of the last. */
export function either(...shapes: Shape[]): Shape {
  return (value) => {
    let mismatch: Mismatch | undefined;
    for (const shape of shapes) {
      mismatch = shape(value);
      if (!mismatch) return undefined;
    }
    return mismatch;
  };
}

export function list(item: Shape): Shape {
  return (value) =>
    Array.isArray(value) ? first(Object.keys(value), value, () => item) : { path: [], wanted: "a list" };
}

/** An object whose keys are names. */
export function record(item: Shape): Shape {
  return (value) =>
    isObject(value) ? first(Object.keys(value), value, () => item) : { path: [], wanted: "an object" };
}

/** Further keys are left alone. */
export function object(needed: Record<string, Shape>, optional: Record<string, Shape> = {}): Shape {
  return (value) => {
    if (!isObject(value)) return { path: [], wanted: "an object" };
    const present = Object.keys(optional).filter((key) => Object.hasOwn(value, key));
    return (
      first(Object.keys(needed), value, (key) => needed[key]!) ??
      first(present, value, (key) => optional[key]!)
    );
  };
}

function first(
  keys: readonly string[],
  value: object,
  shapeOf: (key: string) => Shape,
): Mismatch | undefined {
  for (const key of keys) {
    const own = Object.hasOwn(value, key) ? (value as Record<string, unknown>)[key] : undefined;
    const mismatch = shapeOf(key)(own);
    if (mismatch) return { ...mismatch, path: [key, ...mismatch.path] };
  }
  return undefined;
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
