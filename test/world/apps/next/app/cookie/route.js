export const GET = (request) => new Response(request.headers.get("cookie") ?? "");
