import { cookies } from "next/headers";

export async function GET() {
  const jar = await cookies();
  jar.set("plain", "1");
  jar.set("shared", "2", { domain: ".shop.test", sameSite: "lax" });
  jar.set("dated", "3", { expires: new Date("2030-01-02T03:04:05Z"), httpOnly: true });
  return new Response("set");
}
