interface Order {
  /** The packages that this one may import. */
  readonly imports: readonly string[];
  /** Its folders and single modules, lowest first; what stands in one array stands side by side. */
  readonly layers: readonly (string | readonly string[])[];
}

export const PACKAGES: Readonly<Record<string, Order>>;
