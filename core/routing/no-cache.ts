/** `Cache-Control` of responses outside of `cache_routes`: what a session shows must not be older than its last change. */

/** What the service forbids to caches, and proxies that compress (`no-transform`, for streams), stays forbidden. */
const STRICTER = new Set(["no-store", "private", "no-transform"]);

/** `no-cache` for a response whose own `Cache-Control` is this. */
export function noCache(own: string | null | undefined): string {
  if (!own || own === "no-cache") return "no-cache";
  const kept = own
    .split(",")
    .map((directive) => directive.trim().toLowerCase())
    .filter((directive) => STRICTER.has(directive));
  return ["no-cache", ...new Set(kept)].join(", ");
}
