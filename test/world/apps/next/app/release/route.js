export function GET() {
  globalThis.release?.();
  return new Response("released");
}
