import { Text } from "./text";

export default function Page() {
  return (
    <main>
      <p>served by next</p>
      <Text />
    </main>
  );
}
