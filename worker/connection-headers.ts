const TOKEN = /^[!#$%&'*+.^_`|~0-9a-z-]+$/;

/** Deletes the headers that `Connection` lists: they belong to one connection (RFC 9110, 7.6.1). */
export function deleteConnectionHeaders(headers: Headers): void {
  const connection = headers.get("connection");
  if (connection === null || connection === "keep-alive") return;
  for (const listed of connection.split(",")) {
    const name = listed.trim().toLowerCase();
    if (TOKEN.test(name)) headers.delete(name);
  }
}
