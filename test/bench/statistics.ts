/** Of measurements: the value below which this part of them lies. NaN of none. */
export function percentile(values: number[], part: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN;
}

export function median(values: number[]): number {
  return percentile(values, 0.5);
}

export function mean(values: number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Of the mean. */
export function standardError(values: number[]): number {
  const middle = mean(values);
  const deviation = Math.hypot(...values.map((value) => value - middle)) / (values.length - 1) ** 0.5;
  return deviation / values.length ** 0.5;
}
