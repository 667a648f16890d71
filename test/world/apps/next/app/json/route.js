export const GET = () => Response.json({ served: "next" });
