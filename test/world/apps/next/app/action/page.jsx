"use client";

import { useState } from "react";
import { greet } from "./greet";

export default function Page() {
  const [greeting, setGreeting] = useState("");
  return (
    <form action={async (data) => setGreeting(await greet(data.get("name")))}>
      <input name="name" defaultValue="Ada" />
      <button type="submit">Greet</button>
      <p id="greeting">{greeting}</p>
    </form>
  );
}
