import { Text } from "./text";

export default function Page() {
  return (
    <main>
      <p>served by react-router</p>
      <Text />
    </main>
  );
}
